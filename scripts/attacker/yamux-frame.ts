/** The header of a yamux frame: version, type, flags, stream and length, 12 bytes. */
export const yamuxType = { data: 0, window: 1, ping: 2, goAway: 3 } as const;
export const yamuxFlag = { syn: 1, ack: 2, fin: 4, reset: 8 } as const;
export const yamuxHeaderBytes = 12;

export interface YamuxHeader {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  /** Of data the bytes that follow; otherwise a number. */
  readonly length: number;
}

export function yamuxHeader({ type, flags, stream, length }: YamuxHeader): Buffer {
  const bytes = Buffer.alloc(yamuxHeaderBytes);
  bytes[1] = type;
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt32BE(length, 8);
  return bytes;
}

/** Cuts what the other side sends into frames; keeps no more than one header and tells data as it comes. */
export class YamuxReader {
  #header = Buffer.alloc(yamuxHeaderBytes);
  #have = 0;
  #current: YamuxHeader | undefined;
  #left = 0;
  readonly #onFrame: (header: YamuxHeader) => void;
  readonly #onData: (stream: number, piece: Buffer) => void;

  constructor(onFrame: (header: YamuxHeader) => void, onData: (stream: number, piece: Buffer) => void) {
    this.#onFrame = onFrame;
    this.#onData = onData;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#current !== undefined && this.#left > 0) {
        const piece = chunk.subarray(at, at + this.#left);
        at += piece.length;
        this.#left -= piece.length;
        this.#onData(this.#current.stream, piece);
        continue;
      }
      const piece = chunk.subarray(at, at + yamuxHeaderBytes - this.#have);
      this.#header.set(piece, this.#have);
      this.#have += piece.length;
      at += piece.length;
      if (this.#have < yamuxHeaderBytes) return;
      this.#have = 0;
      const header = {
        type: this.#header[1] ?? 0,
        flags: this.#header.readUInt16BE(2),
        stream: this.#header.readUInt32BE(4),
        length: this.#header.readUInt32BE(8),
      };
      this.#current = header;
      this.#left = header.type === yamuxType.data ? header.length : 0;
      this.#onFrame(header);
    }
  }
}
