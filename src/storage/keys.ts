import { Buffer } from 'node:buffer';
import { concat, toHex, utf8, writeHex } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import type { Hash } from '../crypto/hash.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { Height } from '../ledger/block.ts';

/**
 * The key space of a node's store. The first byte tells what a key is for; numbers are big-endian, so that
 * they sort. Byte 0 belongs to the store's adapter.
 *
 *     1 meta        | name                         format and chain; the final block; what was pruned
 *     2 header      | height (6)                   a final block's header
 *     3 certificate | height (6)
 *     4 receipts    | height (6)
 *     5 block       | block hash (32)              header and transactions
 *     6 candidate   | block hash (32)              a stored block that is not final
 *     7 transaction | transaction hash (32)        height and index
 *     8 log         | key of the consensus log
 *     9 state       | key of the state entry
 *    10 evidence    | number (6)
 *    11 snapshot    | number (6)                  what was fetched of one: its head (0), the parts
 *    12 accounts    | public key (32), height (6) transactions of an account in a block
 *    13 references  | size (1), reference, height (6)
 *    14 versions    | size (1), record's key, height (6)  versions of a record that a block made
 *    15 epoch       | height (6)                  who the validators are from that block on
 */
const kinds = {
  meta: 1,
  header: 2,
  certificate: 3,
  receipts: 4,
  block: 5,
  candidate: 6,
  transaction: 7,
  log: 8,
  state: 9,
  evidence: 10,
  snapshot: 11,
  accounts: 12,
  references: 13,
  versions: 14,
  epoch: 15,
} as const;

type KeyKind = keyof typeof kinds;

/** The indexes: what stands before the height of a block in their keys is what one asks for. */
export const indexKinds = ['accounts', 'references', 'versions'] as const satisfies readonly KeyKind[];

export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

const heightBytes = 6;

/**
 * Keys come from Node's pool of small Buffers. With a typed array of its own for each, handing it to LevelDB
 * would take twice as long.
 */
function key(kind: KeyKind, rest: Uint8Array, height?: number): Uint8Array {
  const made = Buffer.allocUnsafe(1 + rest.length + (height === undefined ? 0 : heightBytes));
  made[0] = kinds[kind];
  made.set(rest, 1);
  if (height !== undefined) writeNumber48(made, 1 + rest.length, height);
  return made;
}

/** The same for what is named by hex: a block has several for each of its transactions. */
function hexKey(kind: KeyKind, rest: Hash | PublicKey, height?: number): Uint8Array {
  const end = 1 + rest.length / 2;
  const made = Buffer.allocUnsafe(end + (height === undefined ? 0 : heightBytes));
  made[0] = kinds[kind];
  invariant(writeHex(made, 1, rest), 'hashes and keys are hex');
  if (height !== undefined) writeNumber48(made, end, height);
  return made;
}

/** A key with a name of any length, of up to 255 bytes: its size stands before it, so none begins another. */
function named(kind: KeyKind, name: Uint8Array, height: number): Uint8Array {
  return key(kind, concat(Uint8Array.of(name.length), name), height);
}

function number48(value: number): Uint8Array {
  const bytes = new Uint8Array(heightBytes);
  writeNumber48(bytes, 0, value);
  return bytes;
}

/** Most significant byte first, so that keys are in the order of their numbers. */
function writeNumber48(target: Uint8Array, at: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 48, 'a height or number has 48 bits');
  for (let place = at + heightBytes - 1, left = value; place >= at; place--, left = Math.floor(left / 256)) {
    target[place] = left % 256;
  }
}

/** The key of a transaction, written where there is room for it; returns its size. */
export function writeTransactionKey(target: Uint8Array, hash: Hash): number {
  target[0] = kinds.transaction;
  invariant(writeHex(target, 1, hash), 'hashes are hex');
  return 1 + hash.length / 2;
}

/** The same of an entry of the state. */
export function writeStateKey(target: Uint8Array, stateKey: Uint8Array): number {
  target[0] = kinds.state;
  for (let at = 0; at < stateKey.length; at++) target[at + 1] = stateKey[at] as number;
  return 1 + stateKey.length;
}

export const keys = {
  /** Which format and which chain; written with the first block. */
  chain: key('meta', utf8('chain')),
  /** Height and hash of the last final block. */
  final: key('meta', utf8('final')),
  /** From where on blocks and headers are stored; absent while nothing was pruned. */
  pruned: key('meta', utf8('pruned')),
  /** From which block on the indexes are complete; absent where they are not kept. */
  indexed: key('meta', utf8('indexed')),
  /** How far the removal of index entries is that are of no use; absent while none is under way. */
  sweeping: key('meta', utf8('sweeping')),
  header: (height: Height): Uint8Array => key('header', number48(height)),
  certificate: (height: Height): Uint8Array => key('certificate', number48(height)),
  epoch: (height: Height): Uint8Array => key('epoch', number48(height)),
  receipts: (height: Height): Uint8Array => key('receipts', number48(height)),
  block: (hash: Hash): Uint8Array => hexKey('block', hash),
  candidate: (hash: Hash): Uint8Array => hexKey('candidate', hash),
  transaction: (hash: Hash): Uint8Array => hexKey('transaction', hash),
  log: (name: string): Uint8Array => key('log', utf8(name)),
  state: (stateKey: Uint8Array): Uint8Array => key('state', stateKey),
  evidence: (index: number): Uint8Array => key('evidence', number48(index)),
  snapshot: (index: number): Uint8Array => key('snapshot', number48(index)),
  accountIndex: (account: PublicKey, height: Height): Uint8Array => hexKey('accounts', account, height),
  referenceIndex: (reference: Uint8Array, height: Height): Uint8Array =>
    named('references', reference, height),
  versionIndex: (recordKey: string, height: Height): Uint8Array => named('versions', utf8(recordKey), height),
} as const;

/** All keys of a kind. */
export function rangeOf(kind: KeyKind): KeyRange {
  return { from: Uint8Array.of(kinds[kind]), to: Uint8Array.of(kinds[kind] + 1) };
}

/** All keys of the indexes, which stand beside each other. */
export const indexRange: KeyRange = { from: rangeOf('accounts').from, to: rangeOf('versions').to };

/** All keys of this space; those of the adapter are outside. */
export const wholeSpace: KeyRange = { from: Uint8Array.of(1), to: Uint8Array.of(255) };

/** All keys of state entries whose own keys begin so; the last byte is no 255. */
export function stateRange(prefix: Uint8Array): KeyRange {
  const from = keys.state(prefix);
  // Not `slice`: that of a Buffer is a view.
  const to = Uint8Array.from(from);
  to[to.length - 1] = (to[to.length - 1] as number) + 1;
  return { from, to };
}

/** The first key after this one. */
export function keyAfter(previous: Uint8Array): Uint8Array {
  return concat(previous, Uint8Array.of(0));
}

/** What stands after the kind. */
export function restOf(stored: Uint8Array): Uint8Array {
  return stored.subarray(1);
}

/** The height, or the number, that a key ends with. */
export function heightIn(stored: Uint8Array): number {
  return Buffer.from(stored.buffer, stored.byteOffset, stored.length).readUIntBE(
    stored.length - heightBytes,
    heightBytes,
  );
}

/** A key in words, for problems: `header of height 12`. */
export function describeKey(stored: Uint8Array): string {
  const kind = (Object.keys(kinds) as KeyKind[]).find((name) => kinds[name] === stored[0]);
  const rest = restOf(stored);
  switch (kind) {
    case undefined:
      return `unknown key ${toHex(stored)}`;
    case 'header':
    case 'certificate':
    case 'receipts':
    case 'epoch':
      return rest.length === heightBytes ? `${kind} of height ${heightIn(stored)}` : `${kind} ${toHex(rest)}`;
    case 'evidence':
    case 'snapshot':
      return rest.length === heightBytes ? `${kind} ${heightIn(stored)}` : `${kind} ${toHex(rest)}`;
    case 'meta':
    case 'log':
      return `${kind} record ${JSON.stringify(Buffer.from(rest).toString('utf8'))}`;
    case 'block':
    case 'candidate':
    case 'transaction':
    case 'state':
    case 'accounts':
    case 'references':
    case 'versions':
      return `${kind} ${toHex(rest)}`;
  }
}
