import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { jsonOf, problemOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, Running } from './processes.ts';

const small = '--accounts 40 --senders 16 --in-flight 64 --duration 1 --warm-up 1'.split(' ');

interface Told {
  readonly runs: readonly {
    readonly measured: {
      readonly transactions: number;
      readonly latency: { readonly count: number; readonly p50: number; readonly p99: number };
      readonly lateness: { readonly count: number };
      readonly operationsPerSecond: number;
      readonly transactionsPerSecond: number;
      readonly nodes: readonly { readonly cpuSeconds: number | null }[];
      readonly checked: {
        readonly once: number;
        readonly sent: number;
        readonly breaches: readonly string[];
      };
    };
  }[];
  readonly files: { readonly json: string; readonly page: string; readonly kept?: string };
}

/** Processes that have this directory in their command line, where there is a /proc. */
function processesOf(directory: string): number {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      return readFileSync(path, 'utf8').includes(directory);
    } catch {
      return false;
    }
  }).length;
}

suite('quorate bench', () => {
  test('four processes: all is final once, the nodes agree, and a page shows it by itself', async (t) => {
    const place = temporaryDirectory(t);
    const out = join(place, 'made', 'here');
    const mix = ['--mix', 'transfer,put,update,delete', '--operations', '3'];
    const ran = await quorate(['bench', ...small, ...mix, '--out', out, '--keep', '--json'], {
      env: { TMPDIR: place },
    });
    assert.equal(ran.code, 0, ran.err);
    const { runs, files } = jsonOf(ran) as unknown as Told;
    assert.equal(runs.length, 1);
    for (const { measured } of runs) {
      // On a busy machine nothing may become final in that second; after it all does.
      assert.ok(measured.checked.sent > 0 && measured.latency.p99 >= measured.latency.p50);
      assert.ok(Math.abs(measured.operationsPerSecond - 3 * measured.transactionsPerSecond) < 1e-6);
      assert.equal(measured.checked.once, measured.checked.sent);
      assert.deepEqual(measured.checked.breaches, []);
      assert.equal(measured.nodes.length, 4);
      assert.ok(measured.nodes.every(({ cpuSeconds }) => (cpuSeconds ?? 0) > 0));
    }
    assert.equal(
      globSync('validator-*/node.log', { cwd: files.kept }).length,
      4,
      'what was to be kept is there',
    );
    const html = readFileSync(files.page, 'utf8');
    assert.equal(html.match(/<svg/g)?.length, 6);
    assert.doesNotMatch(html, /<script|https?:|src=|@import|NaN|undefined/);
    assert.ok((JSON.parse(readFileSync(files.json, 'utf8')) as { runs: object[] }).runs.length === 1);
  });

  test('nodes that run already are measured in an open loop, and go on after it', async (t) => {
    const network = new Running(t, ['testnet', '--engine', 'raft', '--base-port', '0']);
    const { nodes } = await network.event<{ nodes: { api: string; pid: number }[] }>('ready');
    const out = temporaryDirectory(t);
    const attached = [
      'bench',
      '--nodes',
      nodes.map(({ api }) => api).join(),
      ...small.slice(0, 4),
      '--rate',
      '40',
    ];
    const ran = await quorate([...attached, '--duration', '1', '--warm-up', '1', '--out', out, '--json']);
    assert.equal(ran.code, 0, ran.err);
    const { runs } = jsonOf(ran) as unknown as Told;
    assert.equal(runs[0]?.measured.lateness.count, runs[0]?.measured.latency.count);
    assert.ok(nodes.every(({ pid }) => isAlive(pid)));

    const [first] = nodes;
    assert.ok(first !== undefined && process.kill(first.pid, 'SIGKILL'));
    const gone = await quorate(['bench', '--nodes', first.api, ...small, '--json']);
    assert.equal(gone.code, 3);
    assert.equal(problemOf(gone).code, 'api/unreachable');
    network.child.kill('SIGTERM');
    await network.ended();
  });

  for (const [signal, what] of [
    ['SIGINT', 'Ctrl-C'],
    ['SIGKILL', 'kill -9'],
  ] as const) {
    test(`${what} ends all processes and removes their data`, async (t) => {
      const place = temporaryDirectory(t);
      const bench = new Running(t, ['bench', ...small.slice(0, -4), '--duration', '60', '--warm-up', '1'], {
        TMPDIR: place,
      });
      const [log] = await eventually('a node runs', () => {
        const found = globSync('quorate-bench-*/validator-0/node.log', { cwd: place });
        return found.length > 0 && found;
      });
      const directory = dirname(dirname(join(place, log ?? '')));
      bench.child.kill(signal);
      const code = await bench.ended();
      assert.equal(code, signal === 'SIGKILL' ? 'SIGKILL' : 1);
      if (signal === 'SIGINT') assert.match(bench.errors, /cli\/interrupted/);
      await eventually('the directory is removed', () => !existsSync(directory));
      await eventually('all processes have ended', () => processesOf(directory) === 0);
    });
  }
});
