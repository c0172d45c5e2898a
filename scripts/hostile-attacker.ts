import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { AttackName } from './attacker/attacks.ts';
import type { Deeds } from './attacker/scene.ts';
import { usageOf } from './hostile-gauges.ts';

const mainFile = join(import.meta.dirname, 'attacker/main.ts');
/** An attacker that does not end when told is ended. */
const graceMs = 5_000;

export interface Orders {
  readonly attack: AttackName;
  readonly nodes: readonly { readonly peers: number; readonly api: number }[];
  readonly genesisFile: string;
  readonly block: number;
}

/** A process that attacks from `start` to `stop`. It dies with this one. */
export class Attacker {
  readonly #child: ChildProcess;
  readonly #over: Promise<void>;
  #errors = '';
  #deeds: Deeds | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000);
    });
    this.#over = new Promise((resolve, reject) => {
      child.on('message', ({ deeds, over }: { readonly deeds: Deeds; readonly over?: true }) => {
        this.#deeds = deeds;
        if (over === true) resolve();
      });
      child.once('close', (code, signal) =>
        reject(new Error(`the attacker ended by itself (${code ?? signal}): ${this.#errors}`)),
      );
    });
    this.#over.catch(() => {});
  }

  /** Resolves when it begins. */
  static async start(orders: Orders): Promise<Attacker> {
    const child = spawn(process.execPath, ['--max-old-space-size=512', mainFile, JSON.stringify(orders)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const attacker = new Attacker(child);
    await Promise.race([new Promise((resolve) => child.once('message', resolve)), attacker.#over]);
    return attacker;
  }

  /** What it did so far, by its own count, which is a moment old. */
  get deeds(): Deeds {
    if (this.#deeds === undefined) throw new Error('the attacker has not begun');
    return this.#deeds;
  }

  /** What the process has used of the CPU so far, its own start included. */
  cpuMs(): number {
    return usageOf(this.#child.pid ?? 0)?.cpuMs ?? 0;
  }

  /** Ends it, in a hard way when it does not end by itself. What it did may be told more than once. */
  async stop(): Promise<Deeds> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.deeds;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.send({ stop: true }, () => {});
    await gone;
    clearTimeout(timer);
    return this.deeds;
  }
}
