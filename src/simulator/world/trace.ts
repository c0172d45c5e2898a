/**
 * Everything observable that happens in a run, a line each. Two runs with one trace are the same run.
 * The digest is always kept; the lines only on request, because they are long.
 */
export class Trace {
  readonly #lines: string[] | null;
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  constructor(keepLines: boolean) {
    this.#lines = keepLines ? [] : null;
  }

  add(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high + code, 0x5bd1e995) ^ (this.#low >>> 7);
    }
    this.#lines?.push(line);
  }

  get digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  get text(): readonly string[] {
    return this.#lines ?? [];
  }
}

/** A short name for bytes in the trace. Every byte counts. */
export function fingerprint(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = bytes.length;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b + byte, 0x5bd1e995) ^ (b >>> 15);
  }
  return hex(a) + hex(b);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
