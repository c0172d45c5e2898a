import { encodeAddress } from '../crypto/address.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';
import { trusted } from './trust.ts';

/**
 * What an account is called: a validator as in the genesis file, and on a chain for development those whose
 * keys everybody has. What the node calls them stands on the page Validators: a liar could exchange names.
 */
export function nameOf(address: string): string | undefined {
  const genesis = trusted()?.genesis;
  const validator = genesis?.validators.find(({ publicKey }) => encodeAddress(publicKey) === address);
  return validator?.name ?? everybodysKeys().find((name) => addressOf(name) === address);
}

/** The names of keys that everybody has, where the genesis file allows them. */
export function everybodysKeys(): readonly string[] {
  return trusted()?.genesis.development === true ? developmentKeyNames : [];
}

const addresses = new Map<string, string>();

function addressOf(name: string): string {
  const known = addresses.get(name) ?? encodeAddress(developmentKeyPair(name).publicKey);
  addresses.set(name, known);
  return known;
}
