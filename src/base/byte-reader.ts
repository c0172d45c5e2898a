import { knownHex } from './known-texts.ts';
import { sliceAscii, sliceHex } from './bytes.ts';

/** Has nothing that could be overwritten, so one is enough. */
const nothing = new Uint8Array();

/**
 * Reads the fields of an encoding, one after the other. Throws an Error when the bytes
 * end before a field does.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** Where the next field starts. */
  at = 0;

  constructor(bytes: Uint8Array) {
    // A Buffer's `slice` is no copy, and what a store or a socket gives is often one.
    this.#bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  u8(): number {
    const at = this.#pass(1);
    return this.#bytes[at] as number;
  }

  u16(): number {
    const at = this.#pass(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  u32(): number {
    const at = this.#pass(4);
    const bytes = this.#bytes;
    const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    return high * 2 ** 16 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
  }

  /** A copy: it does not keep the input alive, and stays when that is overwritten. */
  bytes(length: number): Uint8Array {
    const at = this.#pass(length);
    if (length === 0) return nothing;
    return this.#bytes.slice(at, at + length);
  }

  /** Not a copy. */
  view(length: number): Uint8Array {
    const at = this.#pass(length);
    return this.#bytes.subarray(at, at + length);
  }

  hex(length: number): string {
    const at = this.#pass(length);
    return sliceHex(this.#bytes, at, at + length);
  }

  /** Of 32 bytes that stand in many encodings. */
  knownHex(): string {
    return knownHex(this.#bytes, this.#pass(32));
  }

  /** Text that has ASCII alone; undefined, and nothing is read, where it has more. */
  ascii(length: number): string | undefined {
    const at = this.#pass(length);
    const text = sliceAscii(this.#bytes, at, at + length);
    if (text === undefined) this.at = at;
    return text;
  }

  #pass(size: number): number {
    const at = this.at;
    if (size > this.#bytes.length - at) {
      throw new Error(`${size} bytes are needed, and ${this.#bytes.length - at} are left`);
    }
    this.at = at + size;
    return at;
  }
}
