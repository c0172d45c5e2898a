import { utf8 } from '../../src/base/bytes.ts';
import { encode } from '../../src/base/codec.ts';
import { hash, type Hash } from '../../src/crypto/hash.ts';
import { type PublicKey, zeroPublicKey } from '../../src/crypto/signature.ts';
import { type BlockHeader, hashHeader, headerCodec, toHeight, toView } from '../../src/ledger/block.ts';
import { encodeBlock } from '../../src/ledger/block-body.ts';
import { type Receipt, receiptsCodec } from '../../src/ledger/receipt.ts';
import { assembleTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { Touched } from '../../src/ledger/touched.ts';
import type { CommitRequest } from '../../src/storage/chain-requests.ts';
import { ChainStore } from '../../src/storage/chain-store.ts';
import type { Store } from '../../src/storage/port.ts';
import { keyOf, someSignature } from '../ledger/samples.ts';

export const chainId = hash('quorate/v1/chain', utf8('test'));

export interface SampleBlock {
  readonly header: BlockHeader;
  readonly hash: Hash;
  readonly bytes: Uint8Array;
  readonly transactions: readonly Transaction[];
  readonly receipts: readonly Receipt[];
}

/** A chain whose blocks link; `salt` makes another one on the same genesis. */
export function sampleBlocks(count: number, salt = ''): readonly SampleBlock[] {
  const blocks: SampleBlock[] = [];
  let parentHash = chainId;
  for (let height = 0; height < count; height++) {
    const root = hash('quorate/v1/block', utf8(height === 0 ? 'genesis' : `${salt}${height}`));
    const header: BlockHeader = {
      height: toHeight(height),
      parentHash,
      view: toView(0),
      proposer: zeroPublicKey,
      timestamp: 1_000 + height,
      protocolVersion: 1,
      transactionRoot: root,
      stateRoot: root,
      receiptsRoot: root,
      validatorsHash: root,
      nextValidatorsHash: root,
    };
    parentHash = hashHeader(header);
    const transactions = height === 0 ? [] : [0, 1].map((index) => sampleTransaction(height, index));
    const bytes = encodeBlock({ header, transactions });
    blocks.push({ header, hash: parentHash, bytes, transactions, receipts: transactions.map(receiptOf) });
  }
  return blocks;
}

/** The sender of every sample transaction; it sends to `sampleReceiver`. */
export const sampleSender: PublicKey = keyOf('sender');
export const sampleReceiver: PublicKey = keyOf('receiver');

function sampleTransaction(height: number, index: number): Transaction {
  return assembleTransaction(
    {
      chainId,
      sender: sampleSender,
      nonce: 2 * height + index,
      fee: 1n,
      expiryHeight: toHeight(1_000),
      reference: utf8(`order ${height}`),
      conditions: [],
      operations: [
        { type: 'transfer', to: sampleReceiver, amount: 1n, memo: `block ${height}` },
        { type: 'put', key: 'counter', value: Uint8Array.of(height, index) },
      ],
      signers: [sampleSender],
    },
    [someSignature],
  );
}

function receiptOf(sent: Transaction): Receipt {
  return {
    transactionHash: sent.hash,
    status: 'applied',
    code: '',
    failure: undefined,
    changes: [],
    fee: 1n,
    accounts: [
      { publicKey: sampleSender, balance: 5n, held: 0n },
      { publicKey: sampleReceiver, balance: 5n, held: 0n },
    ],
    // Two before it in each block, and the first one was made in block 1.
    records: [{ operation: 1, version: sent.nonce - 1, previous: undefined }],
  };
}

export const transactionHash = (height: number, index: number): Hash => sampleTransaction(height, index).hash;

/** Each block has two transactions, one entry of state of its own, and overwrites a common one. */
export function commitOf(block: SampleBlock, changes: Partial<CommitRequest> = {}): CommitRequest {
  const { height } = block.header;
  return {
    height,
    hash: block.hash,
    headerBytes: encode(headerCodec, block.header),
    blockBytes: block.bytes,
    certificate: height === 0 ? null : utf8(`certificate ${height}`),
    transactions: block.transactions,
    touched: Touched.by(block.receipts),
    receiptsBytes: encode(receiptsCodec, block.receipts),
    stateChanges: [
      { key: Uint8Array.of(1, height), value: Uint8Array.of(height) },
      { key: Uint8Array.of(2), value: Uint8Array.of(height, height) },
    ],
    forgetRecords: [],
    forgetCandidates: [],
    ...changes,
  };
}

export function commit(chain: ChainStore, request: CommitRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    chain.commit(request, (problem) => (problem === undefined ? resolve() : reject(problem)));
  });
}

export function persist(
  chain: ChainStore,
  request: Partial<Parameters<ChainStore['persist']>[0]>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    chain.persist({ records: [], blocks: [], ...request }, (problem) =>
      problem === undefined ? resolve() : reject(problem),
    );
  });
}

/** A chain store with these blocks committed. */
export async function filledChain(store: Store, blocks: readonly SampleBlock[]): Promise<ChainStore> {
  const chain = await ChainStore.open(store, { chainId });
  for (const block of blocks) await commit(chain, commitOf(block));
  return chain;
}

/** All entries of the stored state, in key order. */
export async function stateOf(chain: ChainStore): Promise<(readonly [Uint8Array, Uint8Array])[]> {
  const entries: (readonly [Uint8Array, Uint8Array])[] = [];
  for await (const page of chain.stateEntries()) entries.push(...page);
  return entries;
}
