import { writeHex } from './bytes.ts';

const firstBytes = 16 * 1024;
/** A larger buffer is not kept for the next encoding. */
const keptBytes = 512 * 1024;

/**
 * Where an encoding is written, one field after the other. Callers have checked the ranges. It grows as
 * needed, and is used again.
 */
export class ByteWriter {
  #bytes = new Uint8Array(firstBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  /** Writes over what stands at `at`. */
  u16At(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  u64(value: bigint): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  /** False when the text is not hex of exactly `length` bytes. */
  hex(text: string, length: number): boolean {
    if (text.length !== 2 * length) return false;
    const at = this.#reserve(length);
    return writeHex(this.#bytes, at, text);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#at;
  }

  /** What was written from `start` on. Not a copy: it is good until the next byte is written. */
  viewFrom(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at);
  }

  /** A copy of what was written. */
  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    if (this.#bytes.length > keptBytes) this.#use(new Uint8Array(firstBytes));
  }

  #reserve(size: number): number {
    const at = this.#at;
    const end = at + size;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#use(larger);
    }
    this.#at = end;
    return at;
  }

  #use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
