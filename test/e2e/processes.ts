import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';

const launcher = join(import.meta.dirname, '../../scripts/quorate');

/** A running `quorate`, whose lines of JSON are events. */
export class Running {
  readonly child: ChildProcess;
  readonly events: Record<string, unknown>[] = [];
  #errors = '';
  #rest = '';
  #code: number | NodeJS.Signals | undefined;

  constructor(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(launcher, [...args, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.events.push(JSON.parse(line) as Record<string, unknown>);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.child.once('close', (code, signal) => (this.#code = code ?? signal ?? 0));
    t.after(() => this.child.kill('SIGTERM'));
  }

  get errors(): string {
    return this.#errors;
  }

  async event<T>(name: string): Promise<T> {
    return (await eventually(`the event ${name}`, () => {
      const found = this.events.find(({ event }) => event === name);
      assert.ok(found !== undefined || this.#code === undefined, `ended with ${this.#code}: ${this.#errors}`);
      return found;
    })) as T;
  }

  /** The exit code, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals> {
    return eventually('the end of the process', () => this.#code);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
