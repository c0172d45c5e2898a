import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Strategy } from '../byzantine-strategies.ts';
import { nodeLaunch } from '../../node/process/heap.ts';
import type { NodePorts } from './ports.ts';

export interface TestnetNode {
  readonly index: number;
  readonly name: string;
  readonly directory: string;
  readonly ports: NodePorts;
  readonly apiUrl: string;
  /** How it lies, when it was told to. */
  readonly byzantine?: Strategy;
  /** The chain's keys have signed nothing: no node was started on one of its directories. */
  readonly firstUse?: boolean;
}

/** How a child's life went. */
type Life =
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'ended'; readonly how: string; readonly expected: boolean };

const graceMs = 20_000;
const mainFile = join(import.meta.dirname, '../main.ts');

/**
 * Node processes that live no longer than this one. Each child has a channel to its parent and stops when
 * that closes, whatever became of the parent; so not even kill -9 leaves one behind.
 */
export class NodeProcesses {
  readonly nodes: readonly TestnetNode[];
  readonly #children = new Map<number, ChildProcess>();
  readonly #lives = new Map<number, Life>();
  readonly #lies = new Map<number, number>();
  readonly #onEnd: (node: TestnetNode, how: string) => void;
  #stopping = false;

  /** `onEnd` is called when a child ends that nobody stopped. */
  constructor(nodes: readonly TestnetNode[], onEnd: (node: TestnetNode, how: string) => void) {
    this.nodes = nodes;
    this.#onEnd = onEnd;
  }

  start(): void {
    for (const node of this.nodes) this.#spawn(node);
  }

  life(node: TestnetNode): Life | undefined {
    return this.#lives.get(node.index);
  }

  /** How many lies a liar told so far, by its own count. */
  lies(node: TestnetNode): number {
    return this.#lies.get(node.index) ?? 0;
  }

  /**
   * Asks every child to stop, and forces those that do not within `graceMs`. Resolves when all are gone.
   */
  async stop(): Promise<{ readonly forced: readonly TestnetNode[] }> {
    this.#stopping = true;
    const forced: TestnetNode[] = [];
    await Promise.all(
      this.nodes.map(async (node) => {
        const child = this.#children.get(node.index);
        if (child === undefined) return;
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        child.kill('SIGTERM');
        const timer = setTimeout(() => {
          forced.push(node);
          child.kill('SIGKILL');
        }, graceMs);
        await ended;
        clearTimeout(timer);
      }),
    );
    return { forced };
  }

  #spawn(node: TestnetNode): void {
    const log = openSync(logFile(node), 'a');
    // Its own process group: Ctrl-C reaches the parent alone, which then stops all in an orderly way.
    const lying = node.byzantine === undefined ? [] : ['--byzantine', node.byzantine];
    // Or the last to be up would be silent for some blocks: one may be final by then, and who comes
    // to a chain that runs with nothing in its log may have lost it.
    const first = node.firstUse === true ? ['--assume-first-use'] : [];
    const args = [mainFile, 'start', '--child', '--data', node.directory, ...lying, ...first];
    const launch = nodeLaunch(args, process.env);
    const child = spawn(process.execPath, launch.args, {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: launch.env,
    });
    closeSync(log);
    this.#children.set(node.index, child);
    this.#lives.set(node.index, { state: 'running', pid: child.pid ?? 0 });
    child.on('message', ({ lies }: { readonly lies: number }) => void this.#lies.set(node.index, lies));
    child.once('error', (error) => this.#ended(node, `could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      this.#ended(node, signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
  }

  #ended(node: TestnetNode, how: string): void {
    if (!this.#children.delete(node.index)) return;
    this.#lives.set(node.index, { state: 'ended', how, expected: this.#stopping });
    if (!this.#stopping) this.#onEnd(node, how);
  }
}

export function logFile(node: TestnetNode): string {
  return join(node.directory, 'node.log');
}

/** The end of a node's log, for the message that it died. */
export function logTail(node: TestnetNode, lines: number): string[] {
  try {
    const text = readFileSync(logFile(node), 'utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-lines);
  } catch {
    return [];
  }
}
