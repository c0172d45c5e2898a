import { fromHex } from '../base/bytes.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { parseAddress } from '../crypto/address.ts';
import { type Hash, isHash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import { parseReservation, type ReservationId } from '../ledger/reservation-id.ts';
import { namespaceModes, type NamespaceMode } from '../ledger/namespace.ts';

/** What is wrong with a value, and where. */
export class Wrong extends Error {}

type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(json: unknown, at: string): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Wrong(`${at} is no object`);
  }
  return json as Fields;
}

/** An object with no other fields: a misspelt one must not be ignored. */
export function object(json: unknown, at: string, names: readonly string[]): Fields {
  const fields = fieldsOf(json, at);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Wrong(`${at} has the unknown field ${JSON.stringify(unknown)}`);
  return fields;
}

export function list(json: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(json)) throw new Wrong(`${at} is no list`);
  return json;
}

export function text(json: unknown, at: string): string {
  if (typeof json !== 'string') throw new Wrong(`${at} is no text`);
  return json;
}

export function hex(json: unknown, at: string): Uint8Array {
  if (typeof json !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(json)) {
    throw new Wrong(`${at} is no text of lower-case hex`);
  }
  if (json.length > 2 * limits.maxTransactionBytes) throw new Wrong(`${at} is larger than a transaction`);
  return fromHex(json);
}

export function hash(json: unknown, at: string): Hash {
  if (typeof json !== 'string' || !isHash(json)) throw new Wrong(`${at} is no hash in hex`);
  return json;
}

/** Amounts are text: JSON readers round numbers past 2^53. */
export function coins(json: unknown, at: string): bigint {
  if (typeof json !== 'string' || !/^(?:0|[1-9][0-9]{0,19})$/.test(json)) {
    throw new Wrong(`${at} is no amount in decimal digits, in quotes`);
  }
  return BigInt(json);
}

export function whole(json: unknown, at: string): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0) {
    throw new Wrong(`${at} is no whole number`);
  }
  return json;
}

/** In ascending order of their keys, as the ledger has them. One that is repeated stays so. */
export function accounts(json: unknown, at: string): readonly PublicKey[] {
  return list(json, at)
    .map((key, index) => account(key, `${at}[${index}]`))
    .toSorted();
}

export function modeOf(json: unknown, at: string): NamespaceMode {
  const mode = namespaceModes.find((one) => one === json);
  if (mode === undefined) throw new Wrong(`${at} is none of ${namespaceModes.join(', ')}`);
  return mode;
}

/** Left out or null, as the API shows what stays as it is. */
export function unless<T>(json: unknown, read: (given: unknown) => T): T | undefined {
  return json === undefined || json === null ? undefined : read(json);
}

export function account(json: unknown, at: string): PublicKey {
  if (typeof json !== 'string') throw new Wrong(`${at} is no address`);
  const key = parseAddress(json);
  if (key instanceof Problem) throw new Wrong(`${at}: ${key.message}`);
  return key;
}

export function reservation(json: unknown, at: string): ReservationId {
  if (typeof json !== 'string') throw new Wrong(`${at} is no text`);
  const id = parseReservation(json);
  if (id instanceof Problem) throw new Wrong(`${at}: ${id.message}`);
  return id;
}
