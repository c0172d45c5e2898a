/**
 * What has come of something whose length is known, or soon is: one buffer that doubles as bytes really come,
 * and never grows with a length that was only promised.
 */
export class PartialBytes {
  readonly #firstBytes: number;
  #buffer = new Uint8Array(0);
  #filled = 0;

  /** `firstBytes`: first size of the buffer. */
  constructor(firstBytes: number) {
    this.#firstBytes = firstBytes;
  }

  /** Memory that it takes: at most twice what came, and a little. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  get filled(): number {
    return this.#filled;
  }

  /** What came so far. Not a copy. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Copies one more piece of what has `whole` bytes in the end. */
  append(piece: Uint8Array, whole: number): void {
    const needed = this.#filled + piece.length;
    if (this.#buffer.length < needed) {
      const doubled = Math.max(this.#firstBytes, this.#buffer.length * 2);
      const larger = new Uint8Array(Math.max(needed, Math.min(whole, doubled)));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#filled);
    this.#filled = needed;
  }

  /** Hands over what came, and begins anew. */
  take(): Uint8Array {
    const { bytes } = this;
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#buffer = new Uint8Array(0);
    this.#filled = 0;
  }
}
