import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader } from '../../ledger/block.ts';
import { hex, maybe, named, number, pair, tagged, zero } from './plain-bytes.ts';
import { type Leaf, leafOf, treeRoot } from './plain-tree.ts';
import { failures, type PlainCode } from './plain-codes.ts';
import { chainBytes, type PlainChain, proposalBytes } from './plain-chain.ts';

/*
 * The hashes of headers, lists and states once more, as `src/ledger/README.md` describes them, sharing
 * no code with the ledger: whole trees from scratch, in bytes. A root that is wrong there is then
 * wrong here in another way.
 */

/** What a block is named by. */
export function plainHeaderHash(header: BlockHeader): Hash {
  return named(
    tagged(
      'block',
      number(header.height, 6),
      hex(header.parentHash),
      number(header.view, 6),
      hex(header.proposer),
      number(header.timestamp, 6),
      number(header.protocolVersion, 2),
      hex(header.transactionRoot),
      hex(header.stateRoot),
      hex(header.receiptsRoot),
      hex(header.validatorsHash),
      hex(header.nextValidatorsHash),
    ),
  );
}

/** The root over a list of hashes: a tree shaped as in RFC 6962, and the count above it. */
function plainListRoot(items: readonly Uint8Array[]): Hash {
  if (items.length === 0) return named(zero);
  const top = (part: readonly Uint8Array[]): Buffer => {
    const [only] = part;
    if (part.length === 1 && only !== undefined) return Buffer.from(only);
    let half = 1;
    while (half * 2 < part.length) half *= 2;
    return pair(top(part.slice(0, half)), top(part.slice(half)));
  };
  return named(tagged('merkle-root', number(items.length, 4), top(items)));
}

export const plainHashesRoot = (hashes: readonly Hash[]): Hash => plainListRoot(hashes.map(hex));

/**
 * Where something was done: the block's height, the transaction's index there, the operation's index in it.
 */
export type PlainPlace = readonly [height: number, transaction: number, operation: number];

/** What something found instead of what it needs, as the bytes that stand for it. */
export type PlainFound =
  | readonly ['version' | 'height' | 'time', number]
  | readonly ['hash', string]
  | readonly ['balance' | 'reserved', bigint];

/** Empty for a transaction that was applied. */
export interface PlainOutcome {
  readonly code: PlainCode;
  readonly at: readonly ['condition' | 'operation', number];
  readonly found: PlainFound | null;
}

export interface PlainReceipt {
  readonly transactionHash: Hash;
  /** Null for one that was applied. */
  readonly failed: PlainOutcome | null;
  readonly fee: bigint;
  readonly accounts: readonly (readonly [key: string, balance: bigint, held: bigint])[];
  readonly records: readonly {
    readonly operation: number;
    readonly version: number;
    readonly previous: PlainPlace | null;
  }[];
  readonly changes: readonly PlainChangeEffect[];
}

/** What an operation did to a proposed change of the chain. */
export interface PlainChangeEffect {
  readonly operation: number;
  readonly proposal: string;
  readonly approvals: number;
  readonly needed: number;
  /** The first height that it counts for; null while it is not decided. */
  readonly from: number | null;
}

const placeBytes = ([height, transaction, operation]: PlainPlace): Uint8Array[] => [
  number(height, 6),
  number(transaction, 2),
  number(operation, 2),
];

function foundBytes([kind, what]: PlainFound): Uint8Array[] {
  switch (kind) {
    case 'version':
      return [number(1, 1), number(what, 6)];
    case 'hash':
      return [number(2, 1), hex(what)];
    case 'balance':
      return [number(3, 1), number(what, 8)];
    case 'time':
      return [number(6, 1), number(what, 6)];
    case 'height':
      return [number(4, 1), number(what, 6)];
    case 'reserved':
      return [number(5, 1), number(what, 8)];
  }
}

export function plainReceiptsRoot(receipts: readonly PlainReceipt[]): Hash {
  return plainListRoot(
    receipts.map(({ transactionHash, failed, fee, accounts, records, changes }) =>
      tagged(
        'receipt',
        hex(transactionHash),
        number(failed === null ? 0 : 1, 1),
        number(failures.indexOf(failed?.code ?? ''), 1),
        ...maybe(failed, ({ at: [part, index], found }) => [
          number(part === 'condition' ? 0 : 1, 1),
          number(index, 2),
          ...maybe(found, foundBytes),
        ]),
        number(fee, 8),
        number(accounts.length, 2),
        ...accounts.flatMap(([key, balance, held]) => [
          hex(key),
          number(balance, 8),
          ...maybe(held === 0n ? null : held, (amount) => [number(amount, 8)]),
        ]),
        number(records.length, 2),
        ...records.flatMap(({ operation, version, previous }) => [
          number(operation, 2),
          number(version, 6),
          ...maybe(previous, placeBytes),
        ]),
        number(changes.length, 2),
        ...changes.flatMap(({ operation, proposal, approvals, needed, from }) => [
          number(operation, 2),
          hex(proposal),
          number(approvals, 2),
          number(needed, 2),
          ...maybe(from, (height) => [number(height, 6)]),
        ]),
      ),
    ),
  );
}

export interface PlainAccount {
  readonly balance: bigint;
  readonly held: bigint;
  readonly nonce: number;
  /** Null while its own key alone signs for it. */
  readonly keys: { readonly keys: readonly string[]; readonly threshold: number } | null;
}

/** A record, or what is left of a deleted one. */
export interface PlainRecord {
  readonly version: number;
  readonly changed: PlainPlace;
  readonly previous: PlainPlace | null;
  readonly content: { readonly owner: string; readonly value: Uint8Array } | null;
}

/** Who reserved, the transaction's nonce, the operation's index in it. */
type PlainReservationId = readonly [sender: string, nonce: number, operation: number];

export interface PlainReservation {
  readonly id: PlainReservationId;
  readonly recipient: string;
  readonly amount: bigint;
  /** The last height at which it can be posted. */
  readonly until: number;
  readonly made: PlainPlace;
  readonly fate:
    | readonly ['held' | 'expired']
    | readonly ['posted', taken: bigint, at: PlainPlace]
    | readonly ['voided', at: PlainPlace];
}

export interface PlainNamespace {
  readonly owner: string;
  readonly mode: 'open' | 'writers' | 'append-only';
  readonly writers: readonly string[];
}

/** All that a state holds. */
export interface PlainState {
  readonly accounts: ReadonlyMap<string, PlainAccount>;
  readonly records: ReadonlyMap<string, PlainRecord>;
  /** Those that can still be looked up, as they were made. */
  readonly reservations: readonly PlainReservation[];
  readonly namespaces: ReadonlyMap<string, PlainNamespace>;
  readonly chain: PlainChain;
}

const idBytes = ([sender, nonce, operation]: PlainReservationId): Uint8Array[] => [
  hex(sender),
  number(nonce, 6),
  number(operation, 2),
];

function fateBytes(fate: PlainReservation['fate']): Uint8Array[] {
  switch (fate[0]) {
    case 'held':
      return [number(1, 1)];
    case 'posted':
      return [number(2, 1), number(fate[1], 8), ...placeBytes(fate[2])];
    case 'voided':
      return [number(3, 1), ...placeBytes(fate[1])];
    case 'expired':
      return [number(4, 1)];
  }
}

type Add = (kind: number, key: Buffer, ...value: readonly Uint8Array[]) => void;

function addReservations(reservations: readonly PlainReservation[], add: Add): void {
  const endings = new Map<number, PlainReservation[]>();
  for (const one of reservations) {
    const before = endings.get(one.until) ?? [];
    endings.set(one.until, [...before, one]);
    add(
      5,
      Buffer.concat(idBytes(one.id)),
      hex(one.recipient),
      number(one.amount, 8),
      number(one.until, 6),
      ...placeBytes(one.made),
      ...maybe(before.at(-1) ?? null, ({ id }) => idBytes(id)),
      ...fateBytes(one.fate),
    );
  }
  for (const [until, list] of endings) {
    const last = list.at(-1) as PlainReservation;
    add(6, number(until, 6), number(list.length, 2), ...idBytes(last.id));
  }
}

function addChain(chain: PlainChain, add: Add): void {
  const nothing = Buffer.alloc(0);
  add(7, nothing, chainBytes(chain));
  const { proposals } = chain;
  for (const [id, proposal] of proposals) add(8, hex(id), proposalBytes(proposal));
  if (proposals.size > 0) {
    const names = [...proposals].flatMap(([id, { proposer }]) => [hex(id), hex(proposer)]);
    add(8, nothing, number(proposals.size, 2), ...names);
  }
}

/** The root over all entries: each a leaf where its path parts from all others of its tree. */
export function plainStateRoot(state: PlainState): Hash {
  const { accounts, records, reservations, namespaces, chain } = state;
  const leaves: Leaf[] = [];
  const add: Add = (kind, key, ...value) => void leaves.push(leafOf(kind, key, value));
  for (const [key, { balance, held, nonce, keys }] of accounts) {
    if (balance === 0n && nonce === 0) continue;
    const rare = (keys === null ? 0 : 1) + (held === 0n ? 0 : 2);
    const keySet =
      keys === null ? [] : [number(keys.keys.length, 1), ...keys.keys.map(hex), number(keys.threshold, 1)];
    const apart = held === 0n ? [] : [number(held, 8)];
    add(1, hex(key), number(balance, 8), number(nonce, 6), number(rare, 1), ...keySet, ...apart);
  }
  const inside = new Map<string, Leaf[]>();
  for (const [key, record] of records) {
    const leaf = leafOf(2, Buffer.from(key), recordBytes(record));
    const [name, ...rest] = key.split('/');
    if (name === undefined || rest.length === 0) leaves.push(leaf);
    else inside.set(name, [...(inside.get(name) ?? []), leaf]);
  }
  for (const [name, { owner, mode, writers }] of namespaces) {
    const own = inside.get(name) ?? [];
    const modeByte = number(['open', 'writers', 'append-only'].indexOf(mode), 1);
    const rules = [hex(owner), modeByte, number(writers.length, 1), ...writers.map(hex)];
    add(3, Buffer.from(name), ...rules, treeRoot(own, 0), number(own.length, 6));
  }
  addReservations(reservations, add);
  addChain(chain, add);
  return named(treeRoot(leaves, 0));
}

function recordBytes({ version, changed, previous, content }: PlainRecord): Uint8Array[] {
  return [
    number(content === null ? 2 : 1, 1),
    number(version, 6),
    ...placeBytes(changed),
    ...maybe(previous, placeBytes),
    ...(content === null ? [] : [hex(content.owner), number(content.value.length, 2), content.value]),
  ];
}
