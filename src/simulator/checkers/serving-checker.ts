import { concat, equalBytes, fromHex, utf8 } from '../../base/bytes.ts';
import { decode } from '../../base/codec.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { type BlockHeader, changesValidators, hashHeader, headerCodec } from '../../ledger/block.ts';
import { decodeBlock } from '../../ledger/block-body.ts';
import type { NetworkHandlers, PeerId, RequestProtocol } from '../../network/port.ts';
import {
  blocksRequestCodec,
  blocksResponseCodec,
  blockRequestCodec,
  snapshotRequestCodec,
  transactionsRequestCodec,
  transactionsResponseCodec,
} from '../../node/peers/wire.ts';
import { promise } from './breach.ts';

/** A height in a key of the store. */
function numberOf(height: number): Uint8Array {
  const number = Buffer.alloc(6);
  number.writeUIntBE(height, 0, 6);
  return number;
}

type OnRequest = NetworkHandlers['onRequest'];

/** Kinds of keys in a node's store that matter here, and what stands before each value, said once more. */
const kinds = { meta: 1, header: 2, certificate: 3, block: 5 } as const;
/** What says which part of the chain is there, and where the height of the first body stands in it. */
const pruned = { name: utf8('pruned'), at: 6 };
const checksumBytes = 4;
/** So much is given to anybody at once, whoever asks: far below what a peer may have. */
const surelyAllowedBytes = 2 * 1024 * 1024;

interface ServingOptions {
  readonly node: number;
  /** What is on the node's disk under a key at this moment. */
  readonly onDisk: (key: Uint8Array) => Uint8Array | undefined;
  readonly after: (delayMs: number, call: () => void) => void;
  /** Final blocks that stay when older ones are deleted; null where none is deleted. */
  readonly keepBlocks: number | null;
  readonly finalHeight: () => number;
  /** The block of the newest snapshot that the node said it has. */
  readonly snapshot: () => Hash | undefined;
  /** Runs a check, and keeps what it finds. */
  readonly check: (look: () => void) => void;
}

/**
 * A correct node that is asked for what its store holds gives it, all that was asked for, in its time; unless
 * that peer had so much already that it has to wait. It looks at the node's disk when the answer leaves: what
 * is about to be deleted need not be given any more.
 */
export class ServingChecker {
  readonly #options: ServingOptions;
  readonly #given = new Map<PeerId, number>();

  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /** The node's handler with somebody looking over its shoulder. */
  watch(onRequest: OnRequest): OnRequest {
    const { after, check } = this.#options;
    return (peer, protocol, request, respond) => {
      let answered = false;
      onRequest(peer, protocol, request, (response) => {
        if (!answered) check(() => this.#look({ peer, protocol, request }, response));
        answered = true;
        respond(response);
      });
      if (answered) return;
      const due = this.#allows(peer) && this.isHere(protocol, request);
      after(limits.servedWaitMs + 1, () =>
        check(() => this.#must(answered || !due, () => `does not answer ${peer}, who asks for ${protocol}`)),
      );
    };
  }

  #allows(peer: PeerId): boolean {
    return (this.#given.get(peer) ?? 0) < surelyAllowedBytes;
  }

  #look(
    asked: { readonly peer: PeerId; readonly protocol: RequestProtocol; readonly request: Uint8Array },
    response: Uint8Array | null,
  ): void {
    const { peer, protocol, request } = asked;
    const allowed = this.#allows(peer);
    this.#given.set(peer, (this.#given.get(peer) ?? 0) + (response?.length ?? 0));
    if (!allowed || !this.isHere(protocol, request)) return;
    this.#must(response !== null, () => `refuses ${protocol} to ${peer}, and has what was asked for`);
    if (response === null) return;
    if (protocol === 'blocks') this.#lookAtBlocks(request, response);
    else if (protocol === 'candidate') {
      const block = this.#block(decode(blockRequestCodec, request, 'request'));
      this.#must(
        block !== undefined && equalBytes(block, response),
        () => `gives ${peer} other bytes than the block's that was asked for`,
      );
    } else if (protocol === 'transactions') {
      const wanted = decode(transactionsRequestCodec, request, 'request');
      const found = decode(transactionsResponseCodec, response, 'answer');
      this.#must(
        !(found instanceof Problem) && !(wanted instanceof Problem) && found.length === wanted.places.length,
        () => `gives ${peer} other transactions than those that were asked for`,
      );
    }
  }

  /** What is asked for is on the disk, to stay; and the request is one. */
  isHere(protocol: RequestProtocol, request: Uint8Array): boolean {
    switch (protocol) {
      case 'blocks': {
        const wanted = decode(blocksRequestCodec, request, 'request');
        return (
          !(wanted instanceof Problem) &&
          wanted.count > 0 &&
          this.#staying(Math.max(1, wanted.from)) !== undefined
        );
      }
      case 'candidate':
        return this.#block(decode(blockRequestCodec, request, 'request')) !== undefined;
      case 'transactions': {
        const wanted = decode(transactionsRequestCodec, request, 'request');
        if (wanted instanceof Problem) return false;
        const { places } = wanted;
        const bytes = this.#block(wanted.blockHash);
        const block = bytes === undefined ? undefined : decodeBlock(bytes);
        if (block === undefined || block instanceof Problem) return false;
        // Ascending, and there.
        return places.every(
          (place, at) => place > (places[at - 1] ?? -1) && place < block.transactions.length,
        );
      }
      case 'snapshot': {
        const wanted = decode(snapshotRequestCodec, request, 'request');
        return !(wanted instanceof Problem) && wanted.blockHash === this.#options.snapshot();
      }
    }
  }

  #lookAtBlocks(request: Uint8Array, response: Uint8Array): void {
    const wanted = decode(blocksRequestCodec, request, 'request');
    const answer = decode(blocksResponseCodec, response, 'answer');
    if (wanted instanceof Problem) return;
    const from = Math.max(1, wanted.from);
    const blocks = answer instanceof Problem ? [] : answer.blocks;
    const [first, last] = [this.#staying(from), this.#staying(from + blocks.length - 1)];
    const block = first && this.#block(hashHeader(first));
    this.#must(
      blocks[0] !== undefined && block !== undefined && equalBytes(blocks[0], block),
      () => `has block ${from}, is asked for it, and does not give it`,
    );
    const end = from + blocks.length;
    const more = this.#staying(end);
    const complete =
      more === undefined ||
      last === undefined ||
      changesValidators(last) ||
      blocks.length >= Math.min(wanted.count, limits.syncBlocks) ||
      this.#isLastProven(end - 1, from + Math.min(wanted.count, limits.syncBlocks)) ||
      response.length > limits.responseBytes / 8;
    this.#must(
      complete,
      () =>
        `is asked for ${wanted.count} blocks from ${from} on, and gives ${blocks.length}, though it has more`,
    );
  }

  /** This block has a certificate of its own, and none above it has that is below `end`. */
  #isLastProven(height: number, end: number): boolean {
    const proven = (at: number): boolean => this.#disk('certificate', numberOf(at)) !== undefined;
    for (let above = end - 1; above > height; above--) if (proven(above)) return false;
    return proven(height);
  }

  /**
   * The header of a final block that is not among those that may be deleted. The one that a snapshot came for
   * has a header and never had a body.
   */
  #staying(height: number): BlockHeader | undefined {
    const { keepBlocks, finalHeight } = this.#options;
    if (keepBlocks !== null && height <= finalHeight() - keepBlocks) return undefined;
    return height < this.#firstBody() ? undefined : this.#header(height);
  }

  #firstBody(): number {
    const bytes = this.#disk('meta', pruned.name);
    return bytes === undefined ? 1 : Buffer.from(bytes).readUIntBE(pruned.at, 6);
  }

  #header(height: number): BlockHeader | undefined {
    const bytes = this.#disk('header', numberOf(height));
    const header = bytes === undefined ? undefined : decode(headerCodec, bytes, 'header');
    return header instanceof Problem ? undefined : header;
  }

  #block(hash: Hash | Problem): Uint8Array | undefined {
    return hash instanceof Problem ? undefined : this.#disk('block', fromHex(hash));
  }

  #disk(kind: keyof typeof kinds, rest: Uint8Array): Uint8Array | undefined {
    return this.#options.onDisk(concat(Uint8Array.of(kinds[kind]), rest))?.subarray(checksumBytes);
  }

  #must(condition: boolean, describe: () => string): void {
    promise(condition, 'duty', () => `node ${this.#options.node} ${describe()}`);
  }
}
