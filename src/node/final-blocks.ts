import type { BlockView, HeaderView, Inclusion } from '../api/backend.ts';
import { type Codec, decode, u16 } from '../base/codec.ts';
import { defined } from '../base/invariant.ts';
import { Problem, unwrap } from '../base/problem.ts';
import type { Hash } from '../crypto/hash.ts';
import { type BlockHeader, type Height, toHeight } from '../ledger/block.ts';
import { type Block, decodeBlock } from '../ledger/block-body.ts';
import { finalityCodec } from '../ledger/certificate.ts';
import { merkleProof } from '../ledger/merkle.ts';
import { hashReceipt, receiptsCodec } from '../ledger/receipt.ts';
import type { ChainStore } from '../storage/chain-store.ts';

/**
 * Final blocks as clients see them, read from the store. Throws the problem `storage/pruned` for what was final and is not kept, and
 * `storage/damaged` for what is not what was written.
 */
export class FinalBlocks {
  readonly #store: ChainStore;

  constructor(store: ChainStore) {
    this.#store = store;
  }

  at(height: Height): BlockView | undefined {
    this.#refusePruned(height, {});
    const header = this.#store.headerAt(height);
    const hash = this.#store.hashAt(height);
    if (header === undefined || hash === undefined) return undefined;
    const certificate = this.#store.certificateAt(height);
    return {
      hash,
      header,
      transactions: this.#blockAt(height)?.transactions ?? [],
      receipts: this.#receiptsAt(height),
      certificate: certificate === undefined ? null : read(finalityCodec, certificate),
    };
  }

  named(hash: Hash): BlockView | undefined {
    const genesis = toHeight(0);
    if (hash === this.#store.hashAt(genesis)) return this.at(genesis);
    const bytes = this.#store.blockBytes(hash);
    if (bytes === undefined) return undefined;
    const { height } = unwrap(decodeBlock(bytes)).header;
    // It may be stored and not be final.
    return this.#store.hashAt(height) === hash ? this.at(height) : undefined;
  }

  headers(from: Height, limit: number): HeaderView[] {
    this.#refusePruned(from, {});
    const views: HeaderView[] = [];
    for (let height = from; views.length < limit; height = toHeight(height + 1)) {
      const header = this.#store.headerAt(height);
      const hash = this.#store.hashAt(height);
      const receipts = this.#store.receiptsBytesAt(height);
      if (header === undefined || hash === undefined || receipts === undefined) break;
      // A list starts with its count.
      views.push({ hash, header, transactionCount: read(u16, receipts.subarray(0, 2)) });
    }
    return views;
  }

  /** All that proves a final transaction; undefined for one that is not final here. */
  inclusion(transactionHash: Hash): Inclusion | undefined {
    const place = this.#store.locate(transactionHash);
    if (place === undefined) return undefined;
    const { height, index } = place;
    this.#refusePruned(height, { transactionHash, height });
    const view = defined(this.at(height), 'the block of a final transaction');
    const proof = this.#store.nearestCertificate(height);
    if (proof === undefined) return undefined;
    const descendants: BlockHeader[] = [];
    for (let above = height + 1; above <= proof.height; above++) {
      descendants.push(defined(this.#store.headerAt(toHeight(above)), 'a header below a certificate'));
    }
    const hashes = view.transactions.map(({ hash }) => hash);
    return {
      height,
      blockHash: view.hash,
      header: view.header,
      descendants,
      certificate: read(finalityCodec, proof.bytes),
      receipt: defined(view.receipts[index], 'a receipt for each transaction'),
      transactionProof: merkleProof(hashes, index),
      receiptProof: merkleProof(view.receipts.map(hashReceipt), index),
      transaction: defined(view.transactions[index], 'the transaction at its place'),
    };
  }

  #refusePruned(height: Height, details: { transactionHash?: Hash; height?: Height }): void {
    const { firstBlock } = this.#store;
    if (height === 0 || height >= firstBlock) return;
    const what =
      details.transactionHash === undefined
        ? 'it'
        : `the transaction is final at height ${height}: its block`;
    throw new Problem(
      'storage/pruned',
      `this node keeps blocks from height ${firstBlock} on; ${what} was pruned`,
      {
        remedy: 'Ask a node that keeps all blocks.',
        details: { firstBlock, height, ...details },
      },
    );
  }

  #blockAt(height: Height): Block | undefined {
    const bytes = this.#store.blockBytesAt(height);
    return bytes === undefined ? undefined : unwrap(decodeBlock(bytes));
  }

  #receiptsAt(height: Height) {
    const bytes = this.#store.receiptsBytesAt(height);
    return bytes === undefined ? [] : read(receiptsCodec, bytes);
  }
}

function read<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return unwrap(decode(codec, bytes, 'stored value'));
}
