import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { feed } from '../../scripts/demo-feed.ts';
import { prepare } from '../../scripts/demo-prepare.ts';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive, Running } from './processes.ts';

interface Ready {
  readonly nodes: readonly {
    readonly name: string;
    readonly api: string;
    readonly pid: number;
    readonly data: string;
  }[];
}

/** Longer than any machine needs. */
const deadlineMs = 120_000;

/** Boots a network on free ports and waits until it is ready. */
async function boot(t: TestContext, args: readonly string[]): Promise<{ network: Running } & Ready> {
  const network = new Running(t, ['testnet', '--base-port', '0', ...args]);
  const { nodes } = await network.event<Ready>('ready');
  return { network, nodes };
}

function clientOf(api: string): HttpClient {
  return new HttpClient({ baseUrl: api, deadlineMs });
}

/** Waits until all nodes are at one height, and checks that they have one block and one state there. */
async function assertSameHead(apis: readonly string[]): Promise<number> {
  const heads = await eventually('all heads at one height', async () => {
    const found = await Promise.all(apis.map((api) => clientOf(api).status()));
    const all = found.flatMap((status) => (status instanceof Problem ? [] : [status]));
    const level = all.length === apis.length && new Set(all.map((one) => one.finalHeight)).size === 1;
    return level ? all : undefined;
  });
  assert.equal(new Set(heads.map((head) => head.finalHash)).size, 1);
  assert.equal(new Set(heads.map((head) => head.stateRoot)).size, 1);
  return heads[0]?.finalHeight ?? 0;
}

test('four processes: transfer, put, kill -9 under load, restart, catch up, vote again, stop', async (t) => {
  const data = temporaryDirectory(t);
  const { network, nodes } = await boot(t, ['--data', data]);
  const apis = nodes.map(({ api }) => api);
  const [first, , , last] = nodes;
  assert.ok(first !== undefined && last !== undefined && nodes.length === 4);

  await t.test(
    'no node waits on a new network for what its key signed before: it signed nothing',
    async () => {
      for (const node of nodes) {
        assert.match(await readFile(join(node.data, 'node.log'), 'utf8'), /this node votes at once, as told/);
      }
    },
  );

  await t.test(
    'coins and records, submitted at different nodes, are final and the same everywhere',
    async () => {
      const paid = await quorate([
        'tx',
        'transfer',
        'bob',
        '250',
        '--from',
        'alice',
        '--wait',
        '--node',
        first.api,
      ]);
      assert.equal(paid.code, 0, paid.err);
      const put = await quorate(['tx', 'put', 'city', 'Bern', '--from', 'bob', '--wait', '--node', last.api]);
      assert.equal(put.code, 0, put.err);
      // Carol does not own it: the transaction is final, and failed.
      const stolen = await quorate([
        'tx',
        'delete',
        'city',
        '--from',
        'carol',
        '--wait',
        '--node',
        first.api,
      ]);
      assert.equal(stolen.code, 6, stolen.err);
      await assertSameHead(apis);
      for (const api of apis) {
        assert.equal((await quorate(['get', 'city', '--raw', '--node', api])).out, 'Bern');
      }
      const bob = jsonOf(await quorate(['account', 'bob', '--json', '--node', last.api]));
      assert.equal(bob['balance'], String(10n ** 18n + 250n - 1n));
    },
  );

  await t.test('a node killed with -9 under load does not stop the others', async () => {
    const clients = apis.slice(0, 3).map(clientOf);
    const { senders } = await prepare({ clients, count: 600, senders: 6, deadlineMs });
    let killed = false;
    const problem = await feed({
      clients,
      senders,
      deadlineMs,
      onProgress: (submitted) => {
        if (killed || submitted === 0) return;
        killed = process.kill(last.pid, 'SIGKILL');
      },
    });
    assert.equal(problem, undefined);
    assert.ok(killed);
    const ended = await network.event<{ name: string; how: string }>('ended');
    assert.equal(ended.name, last.name);
    assert.match(ended.how, /SIGKILL/);
    await assertSameHead(apis.slice(0, 3));
  });

  await t.test('started again from its disk it catches up, and its votes count', async (t) => {
    const again = new Running(t, ['start', '--data', last.data]);
    await again.event('started');
    await assertSameHead(apis);

    // With another one down, nothing becomes final without the one that came back.
    const other = nodes[1];
    assert.ok(other);
    process.kill(other.pid, 'SIGTERM');
    await eventually('the second node ends', () => !isAlive(other.pid));
    const paid = await quorate([
      'tx',
      'transfer',
      'bob',
      '1',
      '--from',
      'alice',
      '--wait',
      '--node',
      last.api,
    ]);
    assert.equal(paid.code, 0, paid.err);
    await assertSameHead([first.api, nodes[2]?.api ?? '', last.api]);
    again.child.kill('SIGTERM');
    assert.equal(await again.ended(), 0);
  });

  await t.test('SIGTERM stops all that still run, and ends with 0', async () => {
    network.child.kill('SIGTERM');
    assert.equal(await network.ended(), 0, network.errors);
    for (const { pid } of nodes) assert.ok(!isAlive(pid));
    assert.deepEqual(network.events.at(-1), { event: 'stopped', forced: [] });
    assert.ok(existsSync(join(last.data, 'db')), 'a directory that was given is kept');
  });
});

test('no node outlives a parent that is killed with -9', async (t) => {
  const { network, nodes } = await boot(t, ['--nodes', '2', '--data', temporaryDirectory(t)]);
  network.child.kill('SIGKILL');
  await eventually('both nodes end', () => nodes.every(({ pid }) => !isAlive(pid)));
});

test('nor does a temporary directory', async (t) => {
  const { network, nodes } = await boot(t, ['--nodes', '1']);
  const data = nodes[0]?.data ?? '';
  assert.ok(existsSync(data));
  network.child.kill('SIGKILL');
  await eventually('its node ends', () => nodes.every(({ pid }) => !isAlive(pid)));
  await eventually('the directory goes', () => !existsSync(dirname(data)));
});

test('a temporary directory is removed at the end, and the chain of a given one goes on', async (t) => {
  const temporary = await boot(t, ['--nodes', '1']);
  const data = temporary.nodes[0]?.data ?? '';
  assert.ok(existsSync(data));
  temporary.network.child.kill('SIGINT');
  assert.equal(await temporary.network.ended(), 0);
  assert.ok(!existsSync(data));

  const kept = temporaryDirectory(t);
  const before = await boot(t, ['--nodes', '1', '--data', kept]);
  const api = before.nodes[0]?.api ?? '';
  const put = await quorate(['tx', 'put', 'a', 'b', '--from', 'alice', '--wait', '--node', api]);
  assert.equal(put.code, 0, put.err);
  before.network.child.kill('SIGTERM');
  assert.equal(await before.network.ended(), 0);
  const after = await boot(t, ['--nodes', '1', '--data', kept]);
  const client = clientOf(after.nodes[0]?.api ?? '');
  assert.equal(unwrap(await client.record('a')).value, '62');
  assert.ok(unwrap(await client.block(toHeight(1))).transactionHashes.length === 1);
  after.network.child.kill('SIGTERM');
  assert.equal(await after.network.ended(), 0);

  const other = await quorate(['testnet', '--nodes', '2', '--base-port', '0', '--data', kept, '--json']);
  assert.equal(other.code, 1);
  assert.equal(problemOf(other).code, 'cli/testnet-other');
});

test('a port in use is a problem that names the port and the flag, before anything is started', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const data = join(temporaryDirectory(t), 'never');
  const ran = await quorate(['testnet', '--base-port', String(port), '--data', data, '--json']);
  assert.equal(ran.code, 1);
  assert.equal(problemOf(ran).code, 'cli/port-in-use');
  assert.match(problemOf(ran).message, new RegExp(`port ${port} `));
  assert.match(problemOf(ran).remedy, /--base-port/);
  assert.ok(!existsSync(data));
});
