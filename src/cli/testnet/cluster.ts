import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Strategy } from '../byzantine-strategies.ts';
import { heapFlags } from '../../node/process/heap.ts';
import type { NodePorts } from './ports.ts';

export interface Member {
  readonly index: number;
  readonly name: string;
  readonly directory: string;
  readonly ports: NodePorts;
  readonly apiUrl: string;
  /** How it lies, when it was told to. */
  readonly byzantine?: Strategy;
}

/** How a child's life went. */
type Life =
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'ended'; readonly how: string; readonly expected: boolean };

const graceMs = 5_000;
const mainFile = join(import.meta.dirname, '../main.ts');

/**
 * Node processes that live no longer than this one. Each child has a channel to its parent and stops when
 * that closes, whatever became of the parent; so not even kill -9 leaves one behind.
 */
export class Cluster {
  readonly members: readonly Member[];
  readonly #children = new Map<number, ChildProcess>();
  readonly #lives = new Map<number, Life>();
  readonly #lies = new Map<number, number>();
  readonly #onEnd: (member: Member, how: string) => void;
  #stopping = false;

  /** `onEnd` is called when a child ends that nobody stopped. */
  constructor(members: readonly Member[], onEnd: (member: Member, how: string) => void) {
    this.members = members;
    this.#onEnd = onEnd;
  }

  start(): void {
    for (const member of this.members) this.#spawn(member);
  }

  life(member: Member): Life | undefined {
    return this.#lives.get(member.index);
  }

  /** How many lies a liar told so far, by its own count. */
  lies(member: Member): number {
    return this.#lies.get(member.index) ?? 0;
  }

  /**
   * Asks every child to stop, and forces those that do not within five seconds. Resolves when all are gone.
   */
  async stop(): Promise<{ readonly forced: readonly Member[] }> {
    this.#stopping = true;
    const forced: Member[] = [];
    await Promise.all(
      this.members.map(async (member) => {
        const child = this.#children.get(member.index);
        if (child === undefined) return;
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGTERM');
        const timer = setTimeout(() => {
          forced.push(member);
          child.kill('SIGKILL');
        }, graceMs);
        await ended;
        clearTimeout(timer);
      }),
    );
    return { forced };
  }

  #spawn(member: Member): void {
    const log = openSync(logFile(member), 'a');
    // Its own process group: Ctrl-C reaches the parent alone, which then stops all in an orderly way.
    const lying = member.byzantine === undefined ? [] : ['--byzantine', member.byzantine];
    const args = [...heapFlags, mainFile, 'start', '--child', '--data', member.directory, ...lying];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    this.#children.set(member.index, child);
    this.#lives.set(member.index, { state: 'running', pid: child.pid ?? 0 });
    child.on('message', ({ lies }: { readonly lies: number }) => void this.#lies.set(member.index, lies));
    child.once('error', (error) => this.#ended(member, `could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      this.#ended(member, signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
  }

  #ended(member: Member, how: string): void {
    if (!this.#children.delete(member.index)) return;
    this.#lives.set(member.index, { state: 'ended', how, expected: this.#stopping });
    if (!this.#stopping) this.#onEnd(member, how);
  }
}

export function logFile(member: Member): string {
  return join(member.directory, 'node.log');
}

/** The end of a node's log, for the message that it died. */
export function logTail(member: Member, lines: number): string[] {
  try {
    const text = readFileSync(logFile(member), 'utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-lines);
  } catch {
    return [];
  }
}
