import { type Codec, decode, encode, listOf, mappedBytes, refine, struct } from '../base/codec.ts';
import { limits } from '../base/limits.ts';
import { Problem, type ProblemDetails } from '../base/problem.ts';
import type { CodeOf } from '../base/problem-codes.ts';
import type { Hash } from '../crypto/hash.ts';
import { type BlockHeader, hashHeader, headerCodec, type Proposal } from './block.ts';
import type { BlockLimits } from './chain-change.ts';
import { merkleRoot } from './merkle.ts';
import {
  hashOfTransactionBytes,
  type Transaction,
  transactionBytesCodec,
  transactionCodec,
} from './transaction.ts';

/** A header with its transactions' bodies, in order. */
export interface Block {
  readonly header: BlockHeader;
  readonly transactions: readonly Transaction[];
}

const headerBytes = 3 * 6 + 2 + 7 * 32;
const countBytes = 2;
const lengthBytes = 2;
/** The most bytes that an encoded block can have. */
export const maxEncodedBlockBytes =
  headerBytes + countBytes + limits.maxBlockTransactions * lengthBytes + limits.maxBlockBytes;

const bytesRule = `at most ${limits.maxBlockBytes} bytes without their lengths`;
const checkBytes = <T>(transactions: T, size: number): T => {
  if (size > limits.maxBlockBytes) {
    throw new Error(`its transactions have ${size} bytes and may have ${limits.maxBlockBytes}`);
  }
  return transactions;
};

/**
 * Keeps every rule on the form of a block: the count, and the bytes of all transactions
 * together. Checks no signature.
 */
export const blockCodec: Codec<Block> = struct<Block>({
  header: headerCodec,
  transactions: refine(listOf(transactionCodec, limits.maxBlockTransactions), bytesRule, (transactions) =>
    checkBytes(transactions, transactionBytes(transactions)),
  ),
});

export function encodeBlock(block: Block): Uint8Array {
  return encode(blockCodec, block);
}

/**
 * A block from its bytes, or a problem. Checks form and limits only: not roots, links,
 * signatures or execution.
 */
export function decodeBlock(bytes: Uint8Array): Block | Problem {
  return tooLarge(bytes) ?? decode(blockCodec, bytes, 'block');
}

function tooLarge(bytes: Uint8Array): Problem | undefined {
  if (bytes.length <= maxEncodedBlockBytes) return undefined;
  return new Problem('block/oversize', `the block has ${bytes.length} bytes`, {
    remedy: `A block has at most ${maxEncodedBlockBytes} bytes; ask another node for it.`,
    details: { size: bytes.length, limit: maxEncodedBlockBytes },
  });
}

const hashInBlockCodec: Codec<Hash> = mappedBytes(limits.maxTransactionBytes, 'transaction', {
  toMemory: hashOfTransactionBytes,
  toBytes: () => {
    throw new Error('hashes make no block');
  },
});
const storedProposalCodec = struct<Proposal>({
  header: headerCodec,
  transactionHashes: listOf(hashInBlockCodec, limits.maxBlockTransactions),
});

/**
 * The same as `proposalOf(decodeBlock(bytes))` for a block that was decoded before it was stored, in a
 * fraction of the time: the transactions are hashed and nothing else.
 */
export function decodeProposalOf(storedBlock: Uint8Array): Proposal | Problem {
  return decode(storedProposalCodec, storedBlock, 'stored block');
}

/** A block with its transactions as bytes. */
export interface BlockParts {
  readonly header: BlockHeader;
  readonly transactions: readonly Uint8Array[];
}

const partsCodec = struct<BlockParts>({
  header: headerCodec,
  transactions: refine(
    listOf(transactionBytesCodec, limits.maxBlockTransactions),
    bytesRule,
    (transactions) => checkBytes(transactions, sumOfLengths(transactions)),
  ),
});

/**
 * A block for who decodes its transactions a few at a time, or only one: all that `decodeBlock` checks but
 * what is inside them.
 */
export function decodePartsOf(block: Uint8Array): BlockParts | Problem {
  return tooLarge(block) ?? decode(partsCodec, block, 'block');
}

/** The proposal of a block, of which the transactions are hashed and nothing else. */
export function proposalOfParts({ header, transactions }: BlockParts): Proposal {
  return { header, transactionHashes: transactions.map(hashOfTransactionBytes) };
}

function sumOfLengths(list: readonly Uint8Array[]): number {
  let size = 0;
  for (let index = 0; index < list.length; index++) size += (list[index] as Uint8Array).length;
  return size;
}

/** How many bytes of `limits.maxBlockBytes` these take. */
export function transactionBytes(transactions: readonly Transaction[]): number {
  let size = 0;
  for (let index = 0; index < transactions.length; index++) {
    size += (transactions[index] as Transaction).bytes.length;
  }
  return size;
}

function operationsOf(transactions: readonly Transaction[]): number {
  let count = 0;
  for (let index = 0; index < transactions.length; index++) {
    count += (transactions[index] as Transaction).operations.length;
  }
  return count;
}

/**
 * True when any one more transaction would have fitted into a block of these. A correct proposer that knew of
 * one and left it out did so on purpose.
 */
export function hasRoom(transactions: readonly Transaction[], most: BlockLimits): boolean {
  return (
    transactions.length < most.maxTransactions &&
    transactionBytes(transactions) + limits.maxTransactionBytes <= most.maxBytes &&
    operationsOf(transactions) + limits.maxOperations <= most.maxOperations
  );
}

export function proposalOf(block: Block): Proposal {
  return {
    header: block.header,
    transactionHashes: block.transactions.map((transaction) => transaction.hash),
  };
}

/**
 * Proposals that keep the rule of `checkProposal`. A replica asks about each twice: as a
 * message, and as a block.
 */
const rightProposals = new WeakSet<Proposal>();

/** Checks that the header commits to exactly these transaction hashes, none of them twice. */
export function checkProposal(proposal: Proposal): Problem | undefined {
  if (rightProposals.has(proposal)) return undefined;
  const problem = findWrong(proposal);
  if (problem === undefined) rightProposals.add(proposal);
  return problem;
}

function findWrong({ header, transactionHashes }: Proposal): Problem | undefined {
  const details = { height: header.height, transactions: transactionHashes.length };
  if (transactionHashes.length > limits.maxBlockTransactions) {
    return invalid('block/oversize', `has ${transactionHashes.length} transactions`, details);
  }
  if (new Set(transactionHashes).size !== transactionHashes.length) {
    return invalid('block/duplicate-transaction', 'lists a transaction twice', details);
  }
  if (merkleRoot(transactionHashes) !== header.transactionRoot) {
    return invalid('block/transaction-root', 'lists other transactions than its header commits to', details);
  }
  return undefined;
}

/**
 * Checks everything that a header must keep towards its parent's header; not the proposer's
 * turn, the roots or the clock.
 */
export function checkLink(parent: BlockHeader, child: BlockHeader): Problem | undefined {
  const details = { height: child.height, parentHeight: parent.height };
  if (child.height !== parent.height + 1) {
    return invalid('block/height', `is not one above its parent at height ${parent.height}`, details);
  }
  if (child.parentHash !== hashHeader(parent)) {
    return invalid('block/parent', `does not name the block below it as its parent`, details);
  }
  if (child.timestamp <= parent.timestamp) {
    return invalid('block/timestamp', `is not later than its parent (${parent.timestamp} ms)`, details);
  }
  if (child.validatorsHash !== parent.nextValidatorsHash) {
    return invalid('block/validators', 'names other validators than its parent announced', details);
  }
  return undefined;
}

function invalid(code: CodeOf<'block'>, why: string, details: ProblemDetails): Problem {
  return new Problem(code, `the block at height ${details['height']} ${why}`, {
    remedy:
      'It is never valid. This node refused it and goes on with others; if it was offered by a validator, tell its operator.',
    details,
  });
}
