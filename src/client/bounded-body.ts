import { concat } from '../base/bytes.ts';

/**
 * The body of a response, of which at most `maxBytes` are read. The announced length is not trusted, and says
 * nothing of a compressed body. Undefined when there is more; the rest is not read.
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...pieces);
    size += value.length;
    if (size > maxBytes) {
      // The connection ends with it, and nobody waits for that.
      reader.cancel().catch(() => undefined);
      return undefined;
    }
    pieces.push(value);
  }
}
