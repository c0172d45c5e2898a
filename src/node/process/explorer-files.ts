import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Explorer, ExplorerFile } from '../../api/routes/explorer.ts';

/** Where a build of the explorer is: beside the sources, and never among them. */
export const explorerDirectory: string = join(import.meta.dirname, '../../../dist/explorer');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The explorer as it was built; undefined when it was not. */
export function readExplorer(directory: string = explorerDirectory): Explorer | undefined {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return undefined;
  }
  const files = new Map<string, ExplorerFile>();
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const bytes = readFileSync(join(directory, name));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(name === 'index.html' ? '/' : `/explorer/${name}`, {
      type,
      bytes,
      gzipped: gzipSync(bytes),
      etag,
    });
  }
  return files.has('/') ? files : undefined;
}
