import { concat, equalBytes, fromHex, utf8 } from '../../base/bytes.ts';
import { decode, encode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { Effect } from '../../consensus/engine.ts';
import { messageCodec } from '../../consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import { logKey } from '../../consensus/pbft/signing.ts';
import { hardStateCodec } from '../../consensus/pbft/records.ts';
import type { Hash } from '../../crypto/hash.ts';
import { certificateCodec } from '../../ledger/certificate.ts';
import { promise } from './breach.ts';

/**
 * Kinds of keys in a node's store that matter here (`src/storage/keys.ts`), and what stands before each
 * value (`checksummed.ts`).
 */
const kinds = { block: 5, log: 8 } as const;
const checksumBytes = 4;

interface VouchOptions {
  readonly node: number;
  readonly self: number;
  /** What is on the node's disk under a key at this moment. */
  readonly onDisk: (key: Uint8Array) => Uint8Array | undefined;
  /** The block's place, from whoever showed it. */
  readonly linkOf: (blockHash: Hash) => { readonly height: number; readonly parentHash: Hash } | undefined;
  /**
   * What is final stands on the disks of f + 1 others that do not lie: they committed it. Up to here the node
   * knew that, perhaps in an earlier process.
   */
  readonly finalHeight: () => number;
  /**
   * The block that the present view starts with. A node that has it as final votes for it all the same, so
   * that others can finish it.
   */
  readonly tip: () => Hash | undefined;
}

/**
 * What a message vouches for is on its sender's disk when it leaves: the message itself; for a Prepare the
 * block with all its ancestors above what is final there, and the view that it is for; for a Commit the
 * certificate; for a ViewChange that the views below were left. It looks at the disk and asks nobody.
 */
export class VouchChecker {
  readonly #options: VouchOptions;
  /** Removed from the log since: what is not needed any more. */
  readonly #removed = new Set<string>();
  readonly #looked = new Set<string>();

  constructor(options: VouchOptions) {
    this.#options = options;
  }

  look(effects: readonly Effect<PbftMessage>[]): void {
    for (const effect of effects) {
      if (effect.type === 'send' && effect.message.from === this.#options.self) this.#leaves(effect.message);
    }
    for (const effect of effects) {
      if (effect.type !== 'persist') continue;
      for (const { key, value } of effect.records) if (value === null) this.#removed.add(key);
      for (const { key } of effect.sign) this.#removed.delete(key);
    }
  }

  #leaves(message: PbftMessage): void {
    const key = logKey(message);
    if (key === '' || this.#looked.has(key) || this.#removed.has(key)) return;
    this.#looked.add(key);
    const recorded = this.#log(key);
    this.#durable(
      recorded !== undefined && equalBytes(recorded, encode(messageCodec, message)),
      () => `sends its ${key}, which is not on its disk`,
    );
    switch (message.kind) {
      case 'pre-prepare':
      case 'prepare':
        this.#hasChain(message.blockHash, key);
        if (message.view > 0) this.#isIn(message.view, key);
        return;
      case 'commit':
        return this.#hasCertificate(message.view, message.height, key);
      case 'view-change':
        return this.#isIn(message.view, key);
      case 'new-view':
      case 'suspect':
      case 'status':
      case 'evidence':
      case 'query-stable':
      case 'reply-stable':
        return;
    }
  }

  #hasChain(blockHash: Hash, key: string): void {
    let at = blockHash;
    for (;;) {
      const link = this.#options.linkOf(at);
      const isFinal = link !== undefined && link.height <= this.#options.finalHeight();
      if (link === undefined || (isFinal && (at !== blockHash || at === this.#options.tip()))) return;
      const { height } = link;
      const here = this.#disk('block', fromHex(at));
      this.#durable(
        here !== undefined,
        () => `sends its ${key}, and block ${at.slice(0, 8)} of height ${height} is not on its disk`,
      );
      at = link.parentHash;
    }
  }

  #hasCertificate(view: number, height: number, key: string): void {
    const bytes = this.#log('highest');
    const certificate = bytes === undefined ? undefined : decode(certificateCodec, bytes, 'highest');
    const stands =
      certificate !== undefined &&
      !(certificate instanceof Problem) &&
      (certificate.view > view || (certificate.view === view && certificate.height >= height));
    this.#durable(stands, () => `sends its ${key}, and no certificate of that rank is on its disk`);
  }

  #isIn(view: number, key: string): void {
    const bytes = this.#log('position');
    const position = bytes === undefined ? undefined : decode(hardStateCodec, bytes, 'position');
    const stands = position !== undefined && !(position instanceof Problem) && position.view >= view;
    this.#durable(stands, () => `sends its ${key}, and its disk has it in an earlier view`);
  }

  #log(name: string): Uint8Array | undefined {
    return this.#disk('log', utf8(name));
  }

  #disk(kind: keyof typeof kinds, rest: Uint8Array): Uint8Array | undefined {
    return this.#options.onDisk(concat(Uint8Array.of(kinds[kind]), rest))?.subarray(checksumBytes);
  }

  #durable(condition: boolean, describe: () => string): void {
    promise(condition, 'durability', () => `node ${this.#options.node} ${describe()}`);
  }
}
