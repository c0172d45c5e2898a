import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Session, ShownStep } from './page.ts';

const programs = join(import.meta.dirname, '..');
const readyMs = 60_000;
const untilMs = 90_000;

type Child = ReturnType<typeof spawn>;

/** Runs a session on a new test network. `commandOf` says what is typed, `onOutput` gets what is printed. */
export async function runSession(
  session: Session,
  commandOf: (step: ShownStep) => string,
  onOutput: (step: ShownStep, output: string) => void,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-sessions-'));
  const children: Child[] = [];
  try {
    const testnet = start(`quorate testnet --json ${session.testnet}`, directory);
    children.push(testnet);
    await ready(testnet);
    for (const step of session.steps) {
      switch (step.type) {
        case 'file':
          await writeFile(join(directory, step.name), step.text);
          break;
        case 'background':
          children.push(start(step.command, directory));
          break;
        case 'until':
          await until(step.command, directory);
          break;
        case 'hidden':
          await run(step.command, directory);
          break;
        case 'shown': {
          const { output } = await run(commandOf(step), directory);
          onOutput(step, output.replaceAll(`${directory}/`, './'));
        }
      }
    }
  } finally {
    // The last one first: the network goes when nobody is connected to it any more.
    for (const child of children.toReversed()) await stop(child);
    await rm(directory, { recursive: true, force: true });
  }
}

/** As a shell runs it in the session's directory, with this checkout's programs. */
function start(command: string, cwd: string): Child {
  const typed = command
    .replaceAll(/^npm run quorate -- /gm, 'quorate ')
    .replaceAll(/^npm run (\w+)(?: --)?/gm, '$1');
  return spawn('sh', ['-c', typed.replace(/^(\w+ (?:start|testnet)\b)/, 'exec $1')], {
    cwd,
    env: {
      ...process.env,
      PATH: `${programs}:${process.env['PATH'] ?? ''}`,
      QUORATE_KEYS: join(cwd, 'keys'),
      QUORATE_PASSWORD: 'for a session',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which ends as one.
    detached: true,
  });
}

async function run(
  command: string,
  cwd: string,
): Promise<{ readonly output: string; readonly code: number }> {
  const child = start(command, cwd);
  // What is said to people comes first: in which order both arrive is luck.
  const said = ['', ''];
  for (const [at, stream] of [child.stderr, child.stdout].entries()) {
    stream?.setEncoding('utf8').on('data', (text: string) => (said[at] += text));
  }
  const [code] = (await once(child, 'close')) as [number];
  return { output: said.join('').trimEnd(), code };
}

async function until(command: string, cwd: string): Promise<void> {
  const end = performance.now() + untilMs;
  for (;;) {
    const { code, output } = await run(command, cwd);
    if (code === 0) return;
    if (performance.now() > end) throw new Error(`in vain for ${untilMs} ms: ${command}\n${output}`);
    await sleep(500);
  }
}

function ready(testnet: Child): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the test network did not start')), readyMs);
    let said = '';
    testnet.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!said.includes('"event":"ready"')) return;
      clearTimeout(timer);
      resolve();
    });
    testnet.once('close', () => reject(new Error(`the test network ended: ${said}`)));
  });
}

async function stop(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-(child.pid as number), 'SIGTERM');
  await once(child, 'close');
}
