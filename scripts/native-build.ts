import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../src/base/problem.ts';
import { cargoFlags, nativeCrate, nativeFileName, nativeFiles } from '../src/crypto/native-file.ts';

/** What cargo calls a library of the crate. */
const libraries: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'libnative_verify.dylib',
  win32: 'native_verify.dll',
};

/**
 * The addon as nodes load it, and one without the AVX-512 code: what the first does where the processor has none.
 * Each has its own place, so that cargo finds both again.
 */
const kinds = {
  whole: { flags: cargoFlags, target: 'target' },
  plain: { flags: [], target: 'target/plain' },
} as const;

type Kind = keyof typeof kinds;

/**
 * Why nothing can be built on this machine, loudly, because nobody is to think that the addon was tried;
 * undefined where it can.
 */
export function whyNotNative(): string | undefined {
  const runs = (...args: readonly string[]): boolean =>
    spawnSync('cargo', args, { cwd: nativeCrate, stdio: 'ignore' }).status === 0;
  if (!runs('--version')) return notHere('there is no cargo on this machine', 'install Rust');
  if (runs('fetch', '--locked', '--quiet')) return undefined;
  return notHere('cargo cannot get the crates that it needs', 'see what "cargo fetch" says there');
}

function notHere(why: string, first: string): string {
  return [
    `THE NATIVE SIGNATURE CHECK IS NEITHER BUILT NOR TESTED HERE: ${why}.`,
    `Nodes work without it, and check signatures with what npm brought. To have it, ${first} and run "npm run native".`,
  ].join('\n');
}

/** Builds the addon and puts it where a node looks for it. Done at once when nothing changed. */
export function buildNative(): Problem | undefined {
  const built = buildLibrary('whole');
  if (built instanceof Problem) return built;
  const name = nativeFileName(readFileSync(built));
  put(built, join(nativeCrate, name));
  // A node that runs keeps the file that it opened.
  for (const other of nativeFiles()) if (other !== name) rmSync(join(nativeCrate, other), { force: true });
  return undefined;
}

/** In one step, and whole on the disk before: a node that starts finds all of it or nothing. */
function put(built: string, path: string): void {
  const fresh = `${built}.${process.pid}`;
  copyFileSync(built, fresh);
  const file = openSync(fresh, 'r+');
  fsyncSync(file);
  closeSync(file);
  renameSync(fresh, path);
}

/** Builds the addon without its AVX-512 code, for tests; the path of a file that Node can load. */
export function buildPlain(): string | Problem {
  const built = buildLibrary('plain');
  if (built instanceof Problem) return built;
  const path = `${built}.node`;
  put(built, path);
  return path;
}

/** Runs the crate's own tests. */
export function testNative(kind: Kind): Problem | undefined {
  return cargo('test', kind);
}

/** The library, where cargo puts it. */
function buildLibrary(kind: Kind): string | Problem {
  const library = libraries[process.platform] ?? 'libnative_verify.so';
  return cargo('build', kind) ?? join(nativeCrate, kinds[kind].target, 'release', library);
}

function cargo(command: 'build' | 'test', kind: Kind): Problem | undefined {
  const { flags, target } = kinds[kind];
  // With exactly the dependencies of Cargo.lock, and the flags that are named here alone: what runs on this machine
  // only, as somebody's RUSTFLAGS may have it, must not get into a file that may be copied.
  const args = [command, '--release', '--locked', '--quiet', '--target-dir', target];
  const { status } = spawnSync('cargo', args, {
    cwd: nativeCrate,
    env: { ...process.env, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return undefined;
  return new Problem('crypto/native-verify', `cargo ${command} failed in ${nativeCrate}`, {
    remedy: 'See what cargo says above. A node works without the native check.',
  });
}
