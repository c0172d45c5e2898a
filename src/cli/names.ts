import { Problem, unwrap } from '../base/problem.ts';
import type { StatusAnswer } from '../client/answers.ts';
import { parseAddress } from '../crypto/address.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { listKeys, looksLikeFile, type OpenedKey, openKeyFile, publicKeyOf } from './key-directory.ts';

/** How an account may be named on the command line. */
export const accountWords =
  'an address (qr1…), a public key in hex, a stored key’s name, or a development name';

/** What is asked of the chain that an account is named for: a node says it, or a genesis file. */
type NamedChain = Pick<StatusAnswer, 'development' | 'chainName' | 'chainId'>;

export interface NameContext {
  readonly directory: string;
  readonly client: { status(): Promise<NamedChain | Problem> };
}

/** The public key of an account as people name it: see `accountWords`. */
export async function accountNamed(text: string, context: NameContext): Promise<PublicKey> {
  const stored = publicKeyOf(context.directory, text);
  if (stored !== undefined) return stored;
  if (developmentKeyNames.includes(text)) {
    refuseOffDevelopment(text, unwrap(await context.client.status()));
    return developmentKeyPair(text).publicKey;
  }
  if (/^[a-z0-9-]{1,32}$/i.test(text) && !/^qr1/i.test(text)) {
    throw new Problem('cli/account-unknown', `"${text}" is no address, and no key of that name is stored`, {
      remedy: `Give an address (qr1…) or one of: ${known(context.directory).join(', ')}.`,
    });
  }
  return unwrap(parseAddress(text));
}

/** In ascending order, as the ledger has them; one that is named twice counts once. */
export async function accountsNamed(
  names: readonly string[],
  context: NameContext,
): Promise<readonly PublicKey[]> {
  const keys = await Promise.all(names.map((name) => accountNamed(name, context)));
  return [...new Set(keys)].toSorted();
}

/** The key pair that signs: of a key file, a stored key, or a development name on a development chain. */
export async function signerNamed(
  text: string,
  context: {
    readonly directory: string;
    readonly status: StatusAnswer;
    readonly passwordFile?: string | undefined;
  },
): Promise<OpenedKey> {
  const { directory, passwordFile, status } = context;
  if (!looksLikeFile(text) && publicKeyOf(directory, text) === undefined) {
    if (developmentKeyNames.includes(text)) {
      refuseOffDevelopment(text, status);
      return { keyPair: developmentKeyPair(text), kind: 'plain' };
    }
    throw new Problem('cli/key-missing', `there is no key named "${text}" in ${directory}`, {
      remedy: `Give one of: ${known(directory).join(', ')}. "quorate keys new NAME" makes another.`,
      details: { name: text, directory },
    });
  }
  return openKeyFile(directory, text, passwordFile);
}

/** Everybody can sign with a development key: only a chain that says it is for development may see one. */
function refuseOffDevelopment(name: string, status: NamedChain): void {
  if (status.development) return;
  throw new Problem(
    'cli/development-key',
    `"${name}" is a development key, and ${status.chainName} is not a development chain`,
    {
      remedy: 'Use a key of your own ("quorate keys new NAME"), and addresses (qr1…) of real accounts.',
      details: { name, chainId: status.chainId },
    },
  );
}

function known(directory: string): string[] {
  return [
    ...listKeys(directory).map(({ called }) => called),
    ...developmentKeyNames.slice(0, 3),
    'validator-0 to validator-15',
  ];
}
