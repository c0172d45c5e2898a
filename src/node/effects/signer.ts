import { limits } from '../../base/limits.ts';
import { concat, equalBytes, fromHex, toHex } from '../../base/bytes.ts';
import { decode, encode, struct } from '../../base/codec.ts';
import { invariant } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import type { PublicKey, Signature } from '../../crypto/signature.ts';
import type { LogRecord, Unsigned } from '../../consensus/engine.ts';
import { type Height, heightCodec, toHeight, toView, type View, viewCodec } from '../../ledger/block.ts';
import { damaged } from '../../storage/checksummed.ts';
import { BoundedMap } from '../../base/bounded-map.ts';

const signatureBytes = 64;
/**
 * What the node itself keeps in the consensus log; engines never see it. The signer's floor is written in the
 * batches of what it signed.
 */
const ownPrefix = 'node-';
const floorKey = `${ownPrefix}signer-floor`;

interface SignerOptions {
  readonly publicKey: PublicKey;
  /** Signs with the validator's key, which only this function holds. */
  readonly sign: (preimage: Uint8Array) => Signature;
  /** The consensus log as it is on disk. */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/**
 * The only code that signs for the validator. It contradicts neither itself nor what it signed before a
 * restart: one content for one key, nothing of an epoch before the last that it signed in, and nothing of a
 * view below the highest floor in that. An engine that asks for that is broken, so the node stops.
 */
export class Signer {
  readonly publicKey: PublicKey;
  readonly #sign: (preimage: Uint8Array) => Signature;
  /** Everything in the consensus log: a message's signed bytes under its key. */
  readonly #signed: Map<string, Uint8Array>;
  readonly #loose = new BoundedMap<string, Uint8Array>(limits.signedLooseRemembered);
  #floor: Floor;
  /** What of the floor is on disk, or on its way there. */
  #recordedFloor: Floor;

  constructor(options: SignerOptions) {
    this.publicKey = options.publicKey;
    this.#sign = options.sign;
    this.#signed = new Map(options.records);
    this.#floor = readFloor(options.records);
    this.#recordedFloor = this.#floor;
  }

  /** The records of the log that belong to the engine. */
  static engineRecords(records: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
    return new Map([...records].filter(([key]) => !key.startsWith(ownPrefix)));
  }

  get floor(): Floor {
    return this.#floor;
  }

  /**
   * Signs for a durable batch. The signed bytes of each message, in order, and the records that must be
   * written in one batch before any of them is shown to anybody. Asked again for what it signed, it gives the
   * recorded bytes.
   */
  signDurably(messages: readonly Unsigned[]): { signed: Uint8Array[]; records: LogRecord[] } {
    const records: LogRecord[] = [];
    let floor = this.#recordedFloor;
    const signed = messages.map((message) => {
      invariant(message.key !== '', 'what is persisted has a key');
      const known = this.#recorded(message);
      if (known !== undefined) return known;
      this.#checkFloor(message);
      const bytes = this.#signedBytes(message);
      this.#signed.set(message.key, bytes);
      this.#floor = raised(this.#floor, message);
      floor = raised(floor, message);
      records.push({ key: message.key, value: bytes });
      return bytes;
    });
    if (floor !== this.#recordedFloor) records.push({ key: floorKey, value: encode(floorCodec, floor) });
    this.#recordedFloor = floor;
    return { signed, records };
  }

  /**
   * Signs what binds nobody beyond this process: no record is made, the rules hold in memory, and so does a
   * floor that it raises.
   */
  signLoosely(message: Unsigned): { bytes: Uint8Array; signature: Signature } {
    this.#checkEpoch(message);
    if (message.key === '') {
      const isBound = message.epoch === this.#floor.epoch ? this.#floor.view : noView;
      invariant(message.floor <= isBound, 'what binds nothing raises no floor');
    } else {
      this.#checkFloor(message);
      const before = this.#loose.get(message.key);
      invariant(
        !this.#signed.has(message.key) && (before === undefined || equalBytes(before, message.preimage)),
        `nothing else was signed as ${message.key}`,
      );
      this.#loose.set(message.key, message.preimage);
    }
    this.#floor = raised(this.#floor, message);
    const signature = this.#sign(message.preimage);
    return { bytes: concat(message.bytes, fromHex(signature)), signature };
  }

  /** Follows what the engine writes and removes in the log. */
  recorded(records: readonly LogRecord[]): void {
    for (const { key, value } of records) {
      invariant(!key.startsWith(ownPrefix), `the engine leaves ${ownPrefix} to the node`);
      if (value === null) this.#signed.delete(key);
      else this.#signed.set(key, value);
    }
  }

  #recorded(message: Unsigned): Uint8Array | undefined {
    const known = this.#signed.get(message.key);
    if (known === undefined) return undefined;
    invariant(
      equalBytes(known.subarray(0, -signatureBytes), message.bytes),
      `nothing else was signed as ${message.key}`,
    );
    return known;
  }

  #checkFloor(message: Unsigned): void {
    this.#checkEpoch(message);
    const { epoch, view } = this.#floor;
    invariant(
      message.epoch > epoch || message.view >= view,
      `${message.key} is not of a view below ${view}, which this validator left`,
    );
  }

  #checkEpoch({ key, epoch }: Unsigned): void {
    invariant(
      epoch >= this.#floor.epoch,
      `${key} is not of the epoch from ${epoch} on: this validator signed in that from ${this.#floor.epoch} on`,
    );
  }

  #signedBytes(message: Unsigned): Uint8Array {
    return concat(message.bytes, fromHex(this.#sign(message.preimage)));
  }
}

/** Nothing of an earlier epoch is signed, and in this one nothing of a lower view. */
interface Floor {
  readonly epoch: Height;
  readonly view: View;
}

export const floorCodec = struct<Floor>({ epoch: heightCodec, view: viewCodec });
const noView = toView(0);

/** Where the floor is after a message. Whoever signs anything in an epoch has left all earlier ones. */
function raised(floor: Floor, message: Pick<Unsigned, 'epoch' | 'floor'>): Floor {
  const { epoch, floor: view } = message;
  if (epoch > floor.epoch) return { epoch, view };
  return epoch === floor.epoch && view > floor.view ? { epoch, view } : floor;
}

function readFloor(records: ReadonlyMap<string, Uint8Array>): Floor {
  const bytes = records.get(floorKey);
  if (bytes === undefined) return { epoch: toHeight(0), view: noView };
  const floor = decode(floorCodec, bytes, "the signer's floor");
  if (floor instanceof Problem) {
    throw damaged("the signer's floor", `is not readable (${toHex(bytes)})`, floor);
  }
  return floor;
}
