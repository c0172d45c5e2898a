import { signal } from '@preact/signals';
import type { StatusAnswer, ValidatorAnswer } from '../client/answers.ts';
import { HttpClient } from '../client/http-client.ts';
import { encodeAddress } from '../crypto/address.ts';
import { developmentKeyNames, developmentKeyPair } from '../crypto/development-keys.ts';

/** The node that served this page. Nothing here ever asks another origin. */
export const node = new HttpClient({ baseUrl: location.origin, deadlineMs: 5_000 });

/** What the node last said of itself. */
export const status = signal<StatusAnswer | undefined>(undefined);
export const why = signal('');
/** By index, as the node lists them. */
export const validators = signal<readonly ValidatorAnswer[]>([]);

/** The name of a validator, or of an account whose keys everybody has, on a chain for development. */
export function nameOf(address: string): string | undefined {
  const validator = validators.value.find((one) => one.address === address);
  if (validator !== undefined || status.value?.development !== true) return validator?.name;
  developmentNames ??= new Map(
    developmentKeyNames.map((name) => [encodeAddress(developmentKeyPair(name).publicKey), name]),
  );
  return developmentNames.get(address);
}

let developmentNames: ReadonlyMap<string, string> | undefined;
