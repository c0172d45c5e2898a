import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../src/base/problem.ts';
import { nativeVerifyPath } from '../src/crypto/native-verify.ts';

const crate = join(import.meta.dirname, '../src/crypto/native-verify');

/** What cargo calls a library of the crate. */
const libraries: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'libnative_verify.dylib',
  win32: 'native_verify.dll',
};

/**
 * Why nothing can be built on this machine, loudly, because nobody is to think that the addon was tried;
 * undefined where it can.
 */
export function whyNotNative(): string | undefined {
  const runs = (...args: readonly string[]): boolean =>
    spawnSync('cargo', args, { cwd: crate, stdio: 'ignore' }).status === 0;
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
  const failed = cargo('build');
  if (failed !== undefined) return failed;
  const library = libraries[process.platform] ?? 'libnative_verify.so';
  // In one step: a node that runs keeps the file that it opened.
  const fresh = `${nativeVerifyPath}.${process.pid}.node`;
  copyFileSync(join(crate, 'target/release', library), fresh);
  renameSync(fresh, nativeVerifyPath);
  return undefined;
}

/** Runs the crate's own tests. */
export function testNative(): Problem | undefined {
  return cargo('test');
}

function cargo(command: 'build' | 'test'): Problem | undefined {
  // With exactly the dependencies of Cargo.lock.
  const { status } = spawnSync('cargo', [command, '--release', '--locked', '--quiet'], {
    cwd: crate,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return undefined;
  return new Problem('crypto/native-verify', `cargo ${command} failed in ${crate}`, {
    remedy: 'See what cargo says above. A node works without the native check.',
  });
}
