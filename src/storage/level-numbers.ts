/**
 * Reads what LevelDB writes into a batch or an edit: numbers of seven bits a byte, and texts behind theirs.
 */
export class NumberReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, from = 0) {
    this.#bytes = bytes;
    this.#at = from;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** Whether all was read, and no more than there was. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Not a number behind the end. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#at++] ?? Number.NaN;
      value += (byte & 127) * scale;
      if (!(byte >= 128)) return Number.isNaN(byte) ? byte : value;
    }
  }

  text(): Uint8Array {
    const size = this.number();
    const from = this.#at;
    this.#at += size;
    return this.#bytes.subarray(from, this.#at);
  }
}
