import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Why a file cannot be one of the node's own, as the end of a sentence. */
export class UnfitFile extends Error {}

/**
 * A small file of the node's own, whole. Throws `UnfitFile` for what is no file (whoever opens a pipe waits
 * for somebody to write to it, and a device has no end) or has more than `maxBytes`, of which no more is
 * read; and what the system says, ENOENT among it.
 */
export async function readLocalFile(path: string, maxBytes: number): Promise<Uint8Array> {
  // Without O_NONBLOCK the open itself waits at a pipe.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    // Of a directory the system says so itself.
    if (!found.isFile() && !found.isDirectory()) throw new UnfitFile('it is a pipe or a device');
    const bytes = new Uint8Array(Math.min(found.size, maxBytes) + 1);
    let size = 0;
    while (size < bytes.length) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size, null);
      if (bytesRead === 0) return bytes.subarray(0, size);
      size += bytesRead;
    }
    throw new UnfitFile(
      found.size > maxBytes ? `it has more than ${maxBytes} bytes` : 'it grew while it was read',
    );
  } finally {
    await file.close();
  }
}
