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

/** What is said where that is so: nobody is to think that the addon was tried. */
export const noCargo: string = [
  'THE NATIVE SIGNATURE CHECK IS NEITHER BUILT NOR TESTED HERE: there is no cargo on this machine.',
  'Nodes work without it, and check signatures with what npm brought. To have it, install Rust and run "npm run native".',
].join('\n');

/** False where there is no cargo: then there is nothing to build with. */
export function hasCargo(): boolean {
  return spawnSync('cargo', ['--version'], { cwd: crate, stdio: 'ignore' }).status === 0;
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
