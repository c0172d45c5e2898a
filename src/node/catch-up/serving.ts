import { decode, encode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem, unwrap } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { changesValidators, type Height, type BlockHeader, toHeight } from '../../ledger/block.ts';
import { decodePartsOf } from '../../ledger/block-body.ts';
import { finalityCodec } from '../../ledger/certificate.ts';
import type { RequestProtocol } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import { blockBytes, type Chain } from '../effects/chain.ts';
import type { Logger } from '../process/log.ts';
import type { Snapshots } from './snapshots.ts';
import {
  blocksRequestCodec,
  blocksResponseCodec,
  blockRequestCodec,
  transactionsRequestCodec,
  transactionsResponseCodec,
} from '../peers/wire.ts';

interface ServingOptions {
  readonly chain: Chain;
  readonly store: Pick<
    ChainStore,
    'finalHeight' | 'firstBlock' | 'headerAt' | 'blockBytes' | 'blockAt' | 'certificateAt'
  >;
  readonly snapshots: Pick<Snapshots, 'serve' | 'newest'>;
  readonly log: Logger;
}

/** Answers what other nodes ask for. Null refuses: not here, or not a request. */
export class Serving {
  readonly #options: ServingOptions;

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  serve(protocol: RequestProtocol, request: Uint8Array): Uint8Array | null {
    try {
      switch (protocol) {
        case 'blocks':
          return this.#blocks(request);
        case 'candidate':
          return this.#block(request);
        case 'transactions':
          return this.#transactions(request);
        case 'snapshot':
          return this.#options.snapshots.serve(request);
      }
    } catch (error) {
      // A damaged block is served to nobody; that it is damaged does not stop consensus.
      if (!(error instanceof Problem)) throw error;
      this.#options.log.error('a request could not be answered', { code: error.code, reason: error.message });
      return null;
    }
  }

  #blocks(request: Uint8Array): Uint8Array | null {
    const wanted = decode(blocksRequestCodec, request, 'blocks request');
    if (wanted instanceof Problem) return null;
    const { store, snapshots } = this.#options;
    const last = Math.min(store.finalHeight, wanted.from + Math.min(wanted.count, limits.syncBlocks) - 1);
    const blocks: Uint8Array[] = [];
    let size = limits.responseProofBytes;
    for (let height = Math.max(1, wanted.from); height <= last; height++) {
      const block = store.blockAt(toHeight(height));
      if (block === undefined || size + block.bytes.length > limits.responseBytes) break;
      blocks.push(block.bytes);
      size += block.bytes.length + 4;
      // What follows is under other validators. The peer asks for it when this much is final there.
      if (changesValidators(block.header)) break;
    }
    if (blocks.length === 0) {
      const newest = wanted.from < store.firstBlock ? snapshots.newest() : undefined;
      // While one is being installed here, the newest that can be served may be older than what is asked for.
      const snapshot = newest !== undefined && newest.header.height >= wanted.from ? newest : undefined;
      return encode(blocksResponseCodec, { blocks, headers: [], certificate: undefined, snapshot });
    }
    const first = toHeight(Math.max(1, wanted.from));
    blocks.length = this.#provenOf(first, blocks.length);
    const proof = this.#proofFor(toHeight(first + blocks.length - 1));
    return proof === undefined
      ? null
      : encode(blocksResponseCodec, { blocks, ...proof, snapshot: undefined });
  }

  /**
   * How many of these blocks are given: up to the last that has a certificate, if any has. Whoever takes them
   * writes as one what one certificate makes final, and can serve no shorter piece later: with what is above
   * that certificate, pieces would grow from node to node.
   */
  #provenOf(first: Height, count: number): number {
    for (let height = first + count - 1; height >= first; height--) {
      if (this.#options.store.certificateAt(toHeight(height)) !== undefined) return height - first + 1;
    }
    return count;
  }

  /**
   * What makes the block at a height final: headers up to the first block with a certificate, and the
   * certificate.
   */
  #proofFor(height: Height) {
    const { store } = this.#options;
    const headers: BlockHeader[] = [];
    for (let at = height; headers.length <= limits.syncProofHeaders; at = toHeight(at + 1)) {
      const bytes = store.certificateAt(at);
      if (bytes !== undefined) {
        const certificate = decode(finalityCodec, bytes, 'certificate');
        return certificate instanceof Problem ? undefined : { headers, certificate };
      }
      const above = store.headerAt(toHeight(at + 1));
      if (above === undefined) return undefined;
      headers.push(above);
    }
    return undefined;
  }

  #block(request: Uint8Array): Uint8Array | null {
    const hash = decode(blockRequestCodec, request, 'candidate request');
    if (hash instanceof Problem) return null;
    return this.#bytesOf(hash) ?? null;
  }

  #transactions(request: Uint8Array): Uint8Array | null {
    const wanted = decode(transactionsRequestCodec, request, 'transactions request');
    if (wanted instanceof Problem) return null;
    const transactions = this.#transactionsOf(wanted.blockHash);
    if (transactions === undefined) return null;
    const found: Uint8Array[] = [];
    let previous = -1;
    for (const place of wanted.places) {
      const transaction = transactions[place];
      // Ascending places name no transaction twice, so no request is answered with more than one block.
      if (transaction === undefined || place <= previous) return null;
      found.push(transaction);
      previous = place;
    }
    return encode(transactionsResponseCodec, found);
  }

  #transactionsOf(hash: Hash): readonly Uint8Array[] | undefined {
    const candidate = this.#options.chain.get(hash);
    if (candidate !== undefined) return candidate.block.transactions.map(({ bytes }) => bytes);
    const stored = this.#options.store.blockBytes(hash);
    return stored && unwrap(decodePartsOf(stored)).transactions;
  }

  #bytesOf(hash: Hash): Uint8Array | undefined {
    const candidate = this.#options.chain.get(hash);
    return candidate === undefined ? this.#options.store.blockBytes(hash) : blockBytes(candidate);
  }
}
