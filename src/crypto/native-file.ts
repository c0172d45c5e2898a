import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The crate of the addon, and the place of what `npm run native` makes of it. */
export const nativeCrate: string = fileURLToPath(new URL('./native-verify', import.meta.url));

/**
 * What the compiler is told beside Cargo.toml. With the cfg curve25519-dalek has its AVX-512 code as well,
 * and asks the processor that it runs on before it uses it. Not `-C target-feature`: that would put such
 * instructions everywhere, and a file copied to a lesser processor would stop the node.
 */
export const cargoFlags: readonly string[] =
  process.arch === 'x64' ? ['--cfg', 'curve25519_dalek_backend="avx512"'] : [];

/** A file's name says of what sources it was built and what it holds, so that a stale or torn one is seen. */
const namePattern = /^native-verify.*\.node$/;

/** The name for this library, built from the sources that are in this directory. */
export function nativeFileName(library: Uint8Array, directory: string = nativeCrate): string {
  return `${namePrefix(directory)}${digest(library)}.node`;
}

/** What was built and stands in this directory, whatever it was built from. */
export function nativeFiles(directory: string = nativeCrate): string[] {
  try {
    return readdirSync(directory).filter((name) => namePattern.test(name));
  } catch {
    return [];
  }
}

/** The file that was built from the sources beside it, undefined when none was. Throws when it is no good. */
export function findNativeFile(directory: string = nativeCrate): string | undefined {
  const files = nativeFiles(directory);
  if (files.length === 0) return undefined;
  const prefix = namePrefix(directory);
  const name = files.find((file) => file.startsWith(prefix));
  if (name === undefined) throw new Error('it was built from other sources than those that are here');
  const path = join(directory, name);
  // Before it is loaded: a library that lacks its end would stop the node with a signal.
  if (nativeFileName(readFileSync(path), directory) !== name) throw new Error('the file is damaged');
  return path;
}

function namePrefix(directory: string): string {
  const sources = ['Cargo.lock', 'Cargo.toml', 'build.rs'];
  for (const name of readdirSync(join(directory, 'src')).sort()) sources.push(`src/${name}`);
  const read = sources.map((name) => [name, readFileSync(join(directory, name), 'utf8')]);
  return `native-verify-${digest(JSON.stringify([cargoFlags, read]))}-`;
}

function digest(data: Uint8Array | string): string {
  return hash('sha256', data).slice(0, 16);
}
