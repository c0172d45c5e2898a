import { rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { invariant } from '../../../base/invariant.ts';
import { Problem } from '../../../base/problem.ts';
import { hash } from '../../../crypto/hash.ts';
import { hashPairs } from '../../../crypto/pair-hash.ts';
import { toHeight } from '../../../ledger/block.ts';
import { noAccount } from '../../../ledger/state-entry.ts';
import { decodeTransaction, encodeBody, transactionSigningBytes } from '../../../ledger/transaction.ts';
import { Mempool } from '../../../mempool/mempool.ts';
import { openLevelStore } from '../../../storage/level-store.ts';
import type { Write } from '../../../storage/port.ts';
import type { Piece } from './pieces.ts';
import { sampleChain, sampleTransfers } from './samples.ts';
import { newDirectory } from '../../temporary-directory.ts';

const pairs = 1_024;
const poolTransactions = 250;
const poolSenders = 50;
const entries = [1, 100, 1_000];
const valueBytes = 100;

/** Hashes, the codec, the mempool and the store, each with what a transfer needs. */
export function ledgerPieces(): Piece[] {
  return [...hashPieces(), ...codecPieces(), mempoolPiece(), ...entries.map(storagePiece)];
}

function hashPieces(): Piece[] {
  const [transfer] = sampleTransfers(1, 1);
  invariant(transfer !== undefined, 'there is a transfer');
  const [input, output] = [randomBytes(64 * pairs), new Uint8Array(32 * pairs)];
  return [
    {
      group: 'hash',
      name: `a transaction of ${transfer.bytes.length} bytes`,
      bound: 'hashes',
      pieces: 1,
      work: () => hash('quorate/v1/transaction', transfer.bytes),
    },
    {
      group: 'hash',
      name: `pairs of a tree, ${pairs} at a time`,
      bound: 'hashes',
      pieces: pairs,
      work: () => hashPairs(input, output),
    },
  ];
}

function codecPieces(): Piece[] {
  const [transfer] = sampleTransfers(1, 1);
  invariant(transfer !== undefined, 'there is a transfer');
  const piece = (name: string, work: () => unknown): Piece => ({
    group: 'codec',
    name,
    bound: 'verifications',
    pieces: 1,
    work,
  });
  return [
    piece('bytes of a transfer, to sign', () => transactionSigningBytes(encodeBody(transfer))),
    piece('a transfer from bytes, with its hash', () => decodeTransaction(transfer.bytes)),
  ];
}

/** Into the pool, into a block, and out of the pool when it is final. */
function mempoolPiece(): Piece {
  const transactions = sampleTransfers(poolTransactions, poolSenders);
  const nonces = new Map<string, number>();
  for (const { sender, nonce } of transactions) nonces.set(sender, nonce + 1);
  const account = { ...noAccount, balance: 10n ** 12n };
  return {
    group: 'mempool',
    name: 'in, into a block, and out',
    bound: 'verifications',
    pieces: poolTransactions,
    work: () => {
      const accountOf = (): typeof account => account;
      const pool = new Mempool({ chainId: sampleChain, height: toHeight(0), accountOf });
      for (const transaction of transactions) {
        invariant(!(pool.add(transaction, 0) instanceof Problem), 'the pool takes a transfer');
      }
      const block = [...pool.candidates(accountOf)];
      invariant(block.length === poolTransactions, 'all are candidates');
      pool.committed({
        height: toHeight(1),
        transactions: block,
        accountOf: (key) => ({ ...account, nonce: nonces.get(key) ?? 0 }),
        next: { feePerOperation: 0n, protocolVersion: 1 },
        hadRoom: true,
        now: 1,
      });
    },
  };
}

/** One synced batch of this many entries, in time that passes. */
function storagePiece(count: number): Piece {
  return {
    group: 'storage',
    name: count === 1 ? 'a batch of one entry' : `a batch of ${count.toLocaleString('en-US')} entries`,
    bound: 'syncs',
    pieces: 1,
    open: async () => {
      const directory = newDirectory('micro');
      const store = await openLevelStore(join(directory, 'db'));
      let next = 1;
      return {
        work: () => {
          const batch = Array.from({ length: count }, (): Write => {
            const key = new Uint8Array(9);
            new DataView(key.buffer).setFloat64(1, next++);
            key[0] = 1;
            return { type: 'put', key, value: randomBytes(valueBytes) };
          });
          return new Promise<void>((resolve, reject) =>
            store.write(batch, (problem) => (problem === undefined ? resolve() : reject(problem))),
          );
        },
        close: async () => {
          await store.close();
          await rm(directory, { recursive: true, force: true });
        },
      };
    },
  };
}
