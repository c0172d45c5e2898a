import { Problem } from '../base/problem.ts';
import type { AccountAnswer, Address, NamespaceAnswer, StateReadingAnswer } from '../client/answers.ts';
import { type NoneCode, provenNone } from '../client/proven-none.ts';
import { parseAddress } from '../crypto/address.ts';
import type { CheckedStep } from '../ledger/inclusion.ts';
import { parseReservation, reservationText } from '../ledger/reservation-id.ts';
import {
  accountItemJson,
  namespaceItemJson,
  recordItemJson,
  reservationItemJson,
} from '../ledger/state-json.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
  type StateKind,
} from '../ledger/state-reading.ts';
import { node } from './node.ts';
import { knownChecker } from './trust.ts';

/** Of which final block something is, and what this page checked; undefined where it is the node's word. */
export interface Shown {
  readonly height: number;
  readonly steps: readonly CheckedStep[] | undefined;
}

type ShownAccount = Pick<AccountAnswer, 'balance' | 'held' | 'nonce' | 'keys'>;
export type ShownRecord = Shown & ReturnType<typeof recordItemJson>;
type ShownNamespace = Pick<NamespaceAnswer, 'owner' | 'mode' | 'writers' | 'entries'>;
export type ShownReservation = Shown & ReturnType<typeof reservationItemJson>;

/** What an account has, as its proof has it. */
export async function accountShown(about: Address) {
  const publicKey = parseAddress(about);
  if (publicKey instanceof Problem) return publicKey;
  return shown(accountReading, publicKey, {
    proof: () => node.accountProof(publicKey),
    word: () => node.account(about),
    item: (account): ShownAccount => accountItemJson(publicKey, account),
  });
}

/** A record, as its proof has it. */
export function recordShown(key: string): Promise<ShownRecord | Problem> {
  return shown(recordReading, key, {
    proof: () => node.recordProof(key),
    word: () => node.record(key),
    item: (record) => record && recordItemJson(key, record),
    none: 'api/no-such-record',
  });
}

/** A reservation, as its proof has it. */
export async function reservationShown(about: string): Promise<ShownReservation | Problem> {
  const id = parseReservation(about);
  if (id instanceof Problem) return id;
  return shown(reservationReading, id, {
    proof: () => node.reservationProof(reservationText(id)),
    word: () => node.reservation(about),
    item: (reservation) => reservation && reservationItemJson(id, reservation),
    none: 'api/no-such-reservation',
  });
}

/** A namespace, as its proof has it. */
export function namespaceShown(name: string) {
  return shown(namespaceReading, name, {
    proof: () => node.namespaceProof(name),
    word: () => node.namespace(name),
    item: (namespace): ShownNamespace | undefined => namespace && namespaceItemJson(name, namespace),
    none: 'api/no-such-namespace',
  });
}

interface Asked<Value, Item> {
  readonly proof: () => Promise<StateReadingAnswer | Problem>;
  /** While no block is final nobody signed a state. */
  readonly word: () => Promise<(Item & Pick<Shown, 'height'>) | Problem>;
  readonly item: (value: Value) => Item | undefined;
  /** The code where there is none. */
  readonly none?: NoneCode;
}

async function shown<Name, Value, Item extends object>(
  kind: StateKind<Name, Value>,
  name: Name,
  { proof, word, item, none = 'api/no-such-record' }: Asked<Value, Item>,
): Promise<(Item & Shown) | Problem> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const answer = await proof();
  if (answer instanceof Problem) {
    if (answer.code !== 'api/no-such-block') return answer;
    const told = await word();
    return told instanceof Problem ? told : { ...told, steps: undefined };
  }
  const verified = await checker.state(kind, answer, name);
  if (verified instanceof Problem) return verified;
  const { steps, value } = verified;
  const { height } = verified.header;
  const found = item(value);
  if (found !== undefined) return { ...found, height, steps };
  return provenNone(none, kind.lacks(name), height);
}
