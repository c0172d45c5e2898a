import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** What one of the scripts said, and how it ended. */
export interface Told {
  readonly code: number | null;
  readonly events: readonly Record<string, unknown>[];
  readonly errors: string;
}

/** How long one step of a script may take, in seconds: longer than any machine needs. */
const patience = '180';

/** Runs one of the scripts through its launcher, and reads its lines of JSON. */
export function script(name: string, args: readonly string[]): Promise<Told> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      join(import.meta.dirname, '../../scripts', name),
      [...args, '--timeout', patience, '--json'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', (code) => {
      const lines = out.trim().split('\n');
      resolve({ code, errors, events: lines.map((line) => JSON.parse(line) as Record<string, unknown>) });
    });
  });
}
