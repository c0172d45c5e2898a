import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export const launcher = join(import.meta.dirname, '../../scripts/quorate');

/** Runs a line of bash in which "$0" "$@" is the command line tool with its arguments. */
export function inShell(line: string, args: readonly string[]): Promise<Ran> {
  const child = spawn('bash', ['-c', line, launcher, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return ending(child);
}

/** What became of it, and all that it printed. */
function ending(child: ChildProcessByStdio<Writable | null, Readable, Readable>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

/** Runs the command line tool as a person would, through its launcher, with nothing on standard input and no settings of this machine. */
export function quorate(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    /** Ctrl-C is pressed as soon as this is true. */
    readonly interruptWhen?: () => boolean;
    /** Nobody reads what is printed there. */
    readonly unread?: 'stdout' | 'stderr';
  } = {},
): Promise<Ran> {
  const child = spawn(launcher, args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.input ?? '');
  const { interruptWhen, unread } = options;
  if (unread !== undefined) child[unread].destroy();
  if (interruptWhen !== undefined) {
    const watch = setInterval(() => {
      if (interruptWhen()) child.kill('SIGINT');
      if (child.killed) clearInterval(watch);
    }, 20);
    child.once('close', () => clearInterval(watch));
  }
  return ending(child);
}

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The one JSON value that a command printed. */
export function jsonOf(ran: Ran): Record<string, unknown> {
  return JSON.parse(ran.out) as Record<string, unknown>;
}

/** The problem that a command printed as JSON on standard error. */
export function problemOf(ran: Ran): { code: string; message: string; remedy: string } {
  return (JSON.parse(ran.err) as { problem: { code: string; message: string; remedy: string } }).problem;
}
