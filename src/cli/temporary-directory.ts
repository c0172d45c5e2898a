import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileProblem } from './file-problem.ts';

/**
 * What the process beside us runs: when its input ends it tries to remove the directory for as long as nodes
 * that end may still write there.
 */
const watcher = `
  const { rmSync, existsSync } = require('node:fs');
  const [directory] = process.argv.slice(1);
  let left = 120;
  const remove = () => {
    try { rmSync(directory, { recursive: true, force: true }); } catch {}
    if (left-- > 0 && existsSync(directory)) setTimeout(remove, 500);
  };
  process.stdin.on('end', () => setTimeout(remove, existsSync(directory) ? 500 : 0)).resume();
`;

/** Where data stand, and what becomes of them in the end. */
interface Place {
  readonly path: string;
  readonly remove: () => void;
}

/** A new directory under that of the system. It stays. Throws `cli/file`. */
export function newDirectory(name: string): string {
  const system = resolve(tmpdir());
  try {
    return mkdtempSync(resolve(system, `quorate-${name}-`));
  } catch (cause) {
    throw fileProblem(system, cause, 'Set TMPDIR to a directory that can be written, or mend this one.');
  }
}

/** A directory that stays. */
export function lasting(path: string): Place {
  return { path, remove: () => {} };
}

/**
 * A temporary directory that is removed by `remove`, or when this process ends in any other way, kill -9
 * included: a small process beside it waits for that.
 */
export function temporaryDirectory(name: string): Place {
  const path = newDirectory(name);
  const child = spawn(process.execPath, ['-e', watcher, path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  // Without it the directory outlives a kill -9, and nothing else changes.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
      child.stdin.end();
    },
  };
}
