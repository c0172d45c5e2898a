import type { FinalOutcome, Pace } from '../../api/backend.ts';
import type { BlockView, HeaderView } from '../../api/chain-views.ts';
import { inPieces } from '../../api/in-pieces.ts';
import { type Codec, decode, u16 } from '../../base/codec.ts';
import { defined } from '../../base/invariant.ts';
import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, type Height, toHeight } from '../../ledger/block.ts';
import { decodePartsOf, decodeProposalOf } from '../../ledger/block-body.ts';
import { finalityCodec } from '../../ledger/certificate.ts';
import type { FinalityProof, Inclusion } from '../../ledger/inclusion.ts';
import { merkleProof } from '../../ledger/merkle.ts';
import { hashReceipt, type Receipt, receiptsCodec } from '../../ledger/receipt.ts';
import { decodeOwnTransaction, type Transaction } from '../../ledger/transaction.ts';
import type { ChainStore } from '../../storage/chain-store.ts';

/** What to do about a block that is not kept here. */
export const askWhoKeepsBlocks =
  'Ask a node that keeps all blocks (quorate: --node URL): "quorate members list" names the APIs of the others.';

/**
 * Final blocks as clients see them, read from the store a piece at a time: what grows with a block or the
 * chain waits for the caller's pace in between. Throws the problem `storage/pruned` for what was final and is
 * not kept, and `storage/damaged` for what is not what was written.
 */
export class FinalBlocks {
  readonly #store: ChainStore;
  /** The receipts that an outcome was read from last: whoever asks for those of many asks for neighbours. */
  #last: { readonly height: Height; readonly receipts: readonly Receipt[] } | undefined;

  constructor(store: ChainStore) {
    this.#store = store;
  }

  async at(height: Height, pace: Pace): Promise<BlockView | undefined> {
    this.#refusePruned(height, {});
    const header = this.#store.headerAt(height);
    const hash = this.#store.hashAt(height);
    if (header === undefined || hash === undefined) return undefined;
    const certificate = this.#store.certificateAt(height);
    const receipts = this.#receiptsAt(height);
    return {
      hash,
      header,
      transactions: await this.#transactionsAt(height, pace),
      receipts,
      certificate: certificate === undefined ? null : read(finalityCodec, certificate),
    };
  }

  /** The height of the final block with this hash; undefined when none has it. */
  heightOf(hash: Hash): Height | undefined {
    const genesis = toHeight(0);
    if (hash === this.#store.hashAt(genesis)) return genesis;
    const bytes = this.#store.blockBytes(hash);
    if (bytes === undefined) return undefined;
    const { height } = unwrap(decodePartsOf(bytes)).header;
    // It may be stored and not be final.
    return this.#store.hashAt(height) === hash ? height : undefined;
  }

  async headers(from: Height, limit: number, pace: Pace): Promise<HeaderView[]> {
    this.#refusePruned(from, {});
    const views: HeaderView[] = [];
    for (let height = from; views.length < limit; height = toHeight(height + 1)) {
      if (views.length > 0 && views.length % limits.httpPieceHeaders === 0) await pace();
      const header = this.#store.headerAt(height);
      const hash = this.#store.hashAt(height);
      const receipts = this.#store.receiptsBytesAt(height);
      if (header === undefined || hash === undefined || receipts === undefined) break;
      // A list starts with its count.
      views.push({ hash, header, transactionCount: read(u16, receipts.subarray(0, 2)) });
    }
    return views;
  }

  /**
   * What shows that a block is final: undefined for one that is not, and for the genesis while nothing stands
   * on it.
   */
  finality(height: Height): FinalityProof | undefined {
    this.#refusePruned(height, {});
    const proof = this.#store.nearestCertificate(height);
    if (proof === undefined) return undefined;
    const headerAt = (at: number): BlockHeader =>
      defined(this.#store.headerAt(toHeight(at)), 'a header below a certificate');
    const descendants: BlockHeader[] = [];
    for (let above = height + 1; above <= proof.height; above++) descendants.push(headerAt(above));
    return { header: headerAt(height), descendants, certificate: read(finalityCodec, proof.bytes) };
  }

  /** All that proves a final transaction; undefined for one that is not final here. */
  async inclusion(transactionHash: Hash, pace: Pace): Promise<Inclusion | undefined> {
    const place = this.#place(transactionHash);
    if (place === undefined) return undefined;
    const { height, index } = place;
    const finality = this.finality(height);
    if (finality === undefined) return undefined;
    const blockHash = defined(this.#store.hashAt(height), 'the hash of a final block');
    // Reads all bytes at once, because the block may be pruned while the pieces are processed.
    const bytes = defined(this.#store.blockBytesAt(height), 'the block of a final transaction');
    const receipts = this.#receiptsAt(height);
    const { transactionHashes } = unwrap(decodeProposalOf(bytes));
    await pace();
    const transactionProof = merkleProof(transactionHashes, index);
    const receiptHashes: Hash[] = [];
    for (const [at, receipt] of receipts.entries()) {
      if (at % receiptsPerPiece === 0) await pace();
      receiptHashes.push(hashReceipt(receipt));
    }
    await pace();
    return {
      ...finality,
      height,
      blockHash,
      receipt: defined(receipts[index], 'a receipt for each transaction'),
      transactionProof,
      receiptProof: merkleProof(receiptHashes, index),
      transaction: unwrap(
        decodeOwnTransaction(defined(unwrap(decodePartsOf(bytes)).transactions[index], 'the transaction')),
      ),
    };
  }

  /** What became of a final transaction; undefined for one that is not final here. */
  outcome(transactionHash: Hash): FinalOutcome | undefined {
    const place = this.#place(transactionHash);
    if (place === undefined) return undefined;
    const { height, index } = place;
    const blockHash = defined(this.#store.hashAt(height), 'the hash of a final block');
    if (this.#last?.height !== height) this.#last = { height, receipts: this.#receiptsAt(height) };
    const receipt = defined(this.#last.receipts[index], 'a receipt for each transaction');
    return { receipt, height, blockHash };
  }

  #place(transactionHash: Hash) {
    const place = this.#store.locate(transactionHash);
    if (place !== undefined) this.#refusePruned(place.height, { transactionHash, height: place.height });
    return place;
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
        remedy: askWhoKeepsBlocks,
        details: { firstBlock, height, ...details },
      },
    );
  }

  async #transactionsAt(height: Height, pace: Pace): Promise<Transaction[]> {
    const bytes = this.#store.blockBytesAt(height);
    if (bytes === undefined) return [];
    await pace();
    const { transactions } = unwrap(decodePartsOf(bytes));
    return inPieces(transactions, (each) => unwrap(decodeOwnTransaction(each)), pace);
  }

  #receiptsAt(height: Height) {
    const bytes = this.#store.receiptsBytesAt(height);
    return bytes === undefined ? [] : read(receiptsCodec, bytes);
  }
}

/** To hash one costs a tenth of what it costs to present one. */
const receiptsPerPiece = 10 * limits.httpPieceTransactions;

function read<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return unwrap(decode(codec, bytes, 'stored value'));
}
