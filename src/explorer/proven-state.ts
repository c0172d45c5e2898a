import { Problem } from '../base/problem.ts';
import type { AccountAnswer, Address, NamespaceAnswer, StateReadingAnswer } from '../client/answers.ts';
import type { KeptProof } from '../client/kept-proof.ts';
import { type NoneCode, provenNone } from '../client/proven-none.ts';
import { encodeAddress, parseAddress } from '../crypto/address.ts';
import type { CheckedStep } from '../ledger/inclusion.ts';
import { type Genesis, genesisHeader, genesisState } from '../ledger/genesis.ts';
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
import { blocks } from './feed.ts';
import { node } from './node.ts';
import { knownChecker } from './trust.ts';

/** Of which final block something is, and what this page checked. */
export interface Shown {
  readonly height: number;
  readonly steps: readonly CheckedStep[];
  /** For whoever wants to check it elsewhere; undefined where it follows from the genesis file alone. */
  readonly proof: KeptProof | undefined;
}

/** A list, and that nothing is missing in it. */
export interface ShownList<Item> extends Shown {
  readonly items: readonly Item[];
  /** What is proven of it as a whole. */
  readonly says: string;
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
    keep: { proves: 'account', name: encodeAddress(publicKey) },
    proof: () => node.accountProof(publicKey),
    item: (account): ShownAccount => accountItemJson(publicKey, account),
  });
}

/** A record, as its proof has it. */
export function recordShown(key: string): Promise<ShownRecord | Problem> {
  return shown(recordReading, key, {
    keep: { proves: 'record', name: key },
    proof: () => node.recordProof(key),
    item: (record) => record && recordItemJson(key, record),
    none: 'api/no-such-record',
  });
}

/** A reservation, as its proof has it. */
export async function reservationShown(about: string): Promise<ShownReservation | Problem> {
  const id = parseReservation(about);
  if (id instanceof Problem) return id;
  return shown(reservationReading, id, {
    keep: { proves: 'reservation', name: reservationText(id) },
    proof: () => node.reservationProof(reservationText(id)),
    item: (reservation) => reservation && reservationItemJson(id, reservation),
    none: 'api/no-such-reservation',
  });
}

/** A namespace, as its proof has it. */
export function namespaceShown(name: string) {
  return shown(namespaceReading, name, {
    keep: { proves: 'namespace', name },
    proof: () => node.namespaceProof(name),
    item: (namespace): ShownNamespace | undefined => namespace && namespaceItemJson(name, namespace),
    none: 'api/no-such-namespace',
  });
}

interface Asked<Value, Item> {
  readonly proof: () => Promise<StateReadingAnswer | Problem>;
  readonly keep: Pick<KeptProof, 'proves' | 'name'>;
  readonly item: (value: Value) => Item | undefined;
  /** The code where there is none. */
  readonly none?: NoneCode;
}

async function shown<Name, Value, Item extends object>(
  kind: StateKind<Name, Value>,
  name: Name,
  { proof, keep, item, none = 'api/no-such-record' }: Asked<Value, Item>,
): Promise<(Item & Shown) | Problem> {
  const checker = await knownChecker();
  if (checker instanceof Problem) return checker;
  const answer = await proof();
  if (answer instanceof Problem && answer.code !== 'api/no-such-block') return answer;
  const verified =
    answer instanceof Problem
      ? inGenesis(checker.genesis, kind, name)
      : await checker.state(kind, answer, name);
  if (verified instanceof Problem) return verified;
  const { steps, value } = verified;
  const { height } = verified.header;
  const found = item(value);
  if (found === undefined) return provenNone(none, kind.lacks(name), height);
  const kept =
    answer instanceof Problem
      ? undefined
      : { ...keep, answers: [answer], transactions: [], epochs: checker.epochs };
  return { ...found, height, steps, proof: kept };
}

/** While no block is final nobody has signed a state: it follows from the genesis file. */
function inGenesis<Name, Value>(genesis: Genesis, kind: StateKind<Name, Value>, name: Name) {
  const final = blocks.value.find(({ verdict, header }) => verdict === 'final' && header.height > 0);
  if (final !== undefined) {
    const { height } = final.header;
    return new Problem(
      'api/answer',
      `the node says that no block is final, and block ${height} is: that is proven`,
      {
        remedy: 'Ask another node: this one hides what it told before.',
        details: { height },
      },
    );
  }
  const value = kind.valueOf(kind.read(genesisState(genesis), name));
  if (value instanceof Problem) return value;
  const says = `no block is final, says the node; the genesis file has this of ${kind.says(name)}`;
  return { value, header: genesisHeader(genesis), steps: [{ check: 'state', says } as const] };
}
