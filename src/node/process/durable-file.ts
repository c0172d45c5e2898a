import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asMachineFault } from './as-machine-fault.ts';

/**
 * Replaces a file so that after a power failure it is the old one or the new one, whole. Throws
 * `node/machine` when the machine refuses.
 */
export function writeDurably(
  path: string,
  text: string,
  options: { readonly secret?: boolean } = {},
): Promise<void> {
  return asMachineFault(path, () => write(path, text, options));
}

async function write(path: string, text: string, options: { readonly secret?: boolean }): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', options.secret === true ? 0o600 : 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  // The rename itself is only durable with its directory.
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
