import { hash as digest } from 'node:crypto';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader } from '../../ledger/block.ts';

/*
 * The hashes of headers, lists and states once more, as `src/ledger/README.md` describes them, sharing no code with the
 * ledger: whole trees from scratch, in bytes. A root that is wrong there is then wrong here in another way.
 */

type Domain = 'block' | 'receipt' | 'merkle-root' | 'state-leaf' | 'state-key' | 'state-value';

const zero = Buffer.alloc(32);

function tagged(domain: Domain, ...parts: readonly Uint8Array[]): Buffer {
  return digest('sha256', Buffer.concat([Buffer.from(`quorate/v1/${domain}\0`), ...parts]), 'buffer');
}

/** The one hash without a domain: over exactly 64 bytes, as many as no leaf has. */
function pair(left: Buffer, right: Buffer): Buffer {
  return digest('sha256', Buffer.concat([left, right], 64), 'buffer');
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const named = (bytes: Buffer): Hash => bytes.toString('hex') as Hash;

/** A number of 1 to 8 bytes, the highest byte first. */
function number(value: number | bigint, bytes: number): Buffer {
  return hex(value.toString(16).padStart(2 * bytes, '0'));
}

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
      hex(header.transactionRoot),
      hex(header.stateRoot),
      hex(header.receiptsRoot),
      hex(header.validatorsHash),
      hex(header.nextValidatorsHash),
    ),
  );
}

/** The root over a list of hashes: a tree shaped as in RFC 6962, and the count above it. */
export function plainListRoot(items: readonly Uint8Array[]): Hash {
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

const failures = [
  '',
  'transaction/insufficient-balance',
  'transaction/not-owner',
  'transaction/no-such-record',
] as const;
/** Empty for a transaction that was applied. */
export type PlainOutcome = (typeof failures)[number];

export interface PlainReceipt {
  readonly transactionHash: Hash;
  readonly outcome: PlainOutcome;
  readonly fee: bigint;
}

export function plainReceiptsRoot(receipts: readonly PlainReceipt[]): Hash {
  return plainListRoot(
    receipts.map(({ transactionHash, outcome, fee }) =>
      tagged(
        'receipt',
        hex(transactionHash),
        number(outcome === '' ? 0 : 1, 1),
        number(failures.indexOf(outcome), 1),
        number(fee, 8),
      ),
    ),
  );
}

export interface PlainAccount {
  readonly balance: bigint;
  readonly nonce: number;
}

export interface PlainRecord {
  readonly owner: string;
  readonly value: Uint8Array;
}

/** The root over all accounts and records: each a leaf where its path parts from all others. */
export function plainStateRoot(
  accounts: ReadonlyMap<string, PlainAccount>,
  records: ReadonlyMap<string, PlainRecord>,
): Hash {
  const leaves: { path: Buffer; hash: Buffer }[] = [];
  const add = (kind: number, key: Buffer, ...value: readonly Uint8Array[]): void => {
    const path = tagged('state-key', number(kind, 1), key);
    leaves.push({ path, hash: tagged('state-leaf', path, tagged('state-value', ...value)) });
  };
  for (const [key, { balance, nonce }] of accounts) {
    if (balance !== 0n || nonce !== 0) add(1, hex(key), number(balance, 8), number(nonce, 6));
  }
  for (const [key, { owner, value }] of records) {
    add(2, Buffer.from(key), hex(owner), number(value.length, 2), value);
  }
  const root = (part: readonly { path: Buffer; hash: Buffer }[], depth: number): Buffer => {
    const [only] = part;
    if (only === undefined) return zero;
    if (part.length === 1) return only.hash;
    const goesRight = ({ path }: { path: Buffer }): boolean =>
      (((path[depth >> 3] as number) >> (7 - (depth % 8))) & 1) === 1;
    const right = part.filter(goesRight);
    const left = part.filter((leaf) => !goesRight(leaf));
    return pair(root(left, depth + 1), root(right, depth + 1));
  };
  return named(root(leaves, 0));
}
