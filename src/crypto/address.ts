import { bech32m } from '@scure/base';
import { fromHex, toHex } from '../base/bytes.ts';
import { BoundedMap } from '../base/bounded-map.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { keyFault } from './key-fault.ts';
import type { PublicKey } from './signature.ts';

const prefix = 'qr';

/** The same few accounts stand in block after block, several times in each transaction. */
const made = new BoundedMap<PublicKey, string>(limits.addressesRemembered);

/**
 * A public key for people to read and type: bech32m (BIP 350) of its 32 bytes, which finds up
 * to four wrong characters.
 */
export function encodeAddress(publicKey: PublicKey): string {
  const known = made.get(publicKey);
  if (known !== undefined) return known;
  const address = bech32m.encodeFromBytes(prefix, fromHex(publicKey));
  made.set(publicKey, address);
  return address;
}

/**
 * The public key that an address names. Accepts an address in one case (BIP 350), and 64 characters of hex.
 * One that nobody can own (`keyFault`) names no account.
 */
export function parseAddress(text: string): PublicKey | Problem {
  const key = readAddress(text);
  if (key instanceof Problem) return key;
  const fault = keyFault(key);
  return fault === undefined ? key : nobodys(text.trim(), fault);
}

function readAddress(text: string): PublicKey | Problem {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return trimmed.toLowerCase() as PublicKey;
  if (/^[0-9a-f]{32,}$/i.test(trimmed)) return wrong(trimmed, `has ${trimmed.length} hex digits, and not 64`);
  const decoded = bech32m.decodeUnsafe(trimmed);
  if (decoded === undefined && !trimmed.toLowerCase().startsWith(`${prefix}1`)) {
    return wrong(trimmed, `is none: it does not begin with "${prefix}1"`);
  }
  if (decoded === undefined) return wrong(trimmed, 'has a typing error (its checksum does not match)');
  if (decoded.prefix !== prefix) return wrong(trimmed, `starts with "${decoded.prefix}1", not "${prefix}1"`);
  const bytes = bech32m.fromWordsUnsafe(decoded.words);
  if (!(bytes instanceof Uint8Array) || bytes.length !== 32) return wrong(trimmed, 'does not hold 32 bytes');
  return toHex(bytes) as PublicKey;
}

function nobodys(text: string, fault: 'forgeable' | 'off-curve'): Problem {
  const why = fault === 'forgeable' ? 'anybody can sign for it' : 'it is no point of the curve';
  return new Problem(`keys/${fault}`, `${text} is nobody's key: ${why}`, {
    remedy: 'Copy the address again ("quorate keys show NAME"): no key that was made is one of these.',
  });
}

function wrong(text: string, why: string): Problem {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new Problem('keys/address', `the address ${JSON.stringify(shown)} ${why}`, {
    remedy: `Copy the whole address, from "${prefix}1" to its end, or give the public key as 64 characters of hex.`,
  });
}
