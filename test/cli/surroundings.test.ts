import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shellWord } from '../../src/cli/shell-word.ts';
import { askThisMachineDirectly } from '../../src/cli/direct-requests.ts';
import { homeOf } from '../../src/cli/key-directory.ts';
import { deadUrl } from '../client/fake-api.ts';
import { fakeChain } from './chain.ts';
import { inShell, jsonOf, launcher, problemOf, quorate, temporaryDirectory } from './quorate.ts';

test('a node of this machine is asked directly, whatever proxy there is for others', async (t) => {
  const { url } = await fakeChain(t);
  let asked = 0;
  const proxy = createServer((socket) => {
    asked++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  t.after(() => proxy.close());
  await once(proxy, 'listening');
  const there = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: there, HTTPS_PROXY: there };
  for (const more of [{}, { NO_PROXY: 'other.example' }, { no_proxy: '' }]) {
    const ran = await quorate(['account', 'alice', '--node', url], { env: { ...env, ...more } });
    assert.equal(ran.code, 0, ran.err);
  }
  assert.equal(asked, 0);
  const elsewhere = await quorate(['account', 'alice', '--node', 'elsewhere.invalid', '--timeout', '1'], {
    env,
  });
  assert.equal(elsewhere.code, 3);
  assert.ok(asked > 0, 'the others are not');
});

test('what else was to be asked directly stays so', () => {
  const after = (environment: NodeJS.ProcessEnv): string | undefined => {
    askThisMachineDirectly(environment);
    return environment['no_proxy'] ?? environment['NO_PROXY'];
  };
  const here = 'localhost,127.0.0.1,[::1]';
  assert.equal(after({}), here);
  assert.equal(after({ NO_PROXY: '*' }), '*');
  assert.equal(after({ NO_PROXY: 'a.example' }), `a.example,${here}`);
  assert.equal(after({ NO_PROXY: 'a.example', no_proxy: 'b.example' }), `b.example,${here}`);
});

describe('where nobody takes what is printed, the exit code still tells what came of it', () => {
  test('on standard error', async () => {
    const status = ['status', '--node', await deadUrl(), '--timeout', '0'];
    assert.equal((await quorate(status, { unread: 'stderr' })).code, 3);
    assert.equal((await inShell('"$0" "$@" 2>/dev/full', status)).code, 3);
  });

  test('on standard output, of what is final', async (t) => {
    for (const [outcome, code] of [
      ['applied', 0],
      ['failed', 6],
    ] as const) {
      const { url } = await fakeChain(t, { outcome });
      const send = ['tx', 'transfer', 'bob', '1', '--from', 'alice', '--wait', '--node', url];
      assert.equal((await quorate(send, { unread: 'stdout' })).code, code, outcome);
    }
  });

  test('on standard output, of what was taken and may count: it is not called undone', async (t) => {
    const { url, submitted } = await fakeChain(t);
    const node = ['--from', 'alice', '--node', url];
    const sent = await inShell('"$0" "$@" >/dev/full', ['tx', 'transfer', 'bob', '1', ...node]);
    assert.equal(sent.code, 4);
    assert.match(sent.err, /cannot be written.*\n {2}what to do {2}What was asked for may be done/);
    assert.equal(submitted.length, 1);
    assert.equal((await inShell('"$0" "$@" >/dev/full', ['status', '--node', url])).code, 1);
  });
});

test('with --json, what Node warns of is a value too', async () => {
  const env = { NO_COLOR: '1', FORCE_COLOR: '1' };
  const asked = await quorate(['keys', 'list', '--json'], { env });
  assert.deepEqual([asked.code, jsonOf(asked)['keys']], [0, []]);
  assert.match((JSON.parse(asked.err) as { warning: string }).warning, /NO_COLOR.*FORCE_COLOR/);
  const told = await quorate(['keys', 'list', '--json'], { env: { ...env, NODE_NO_WARNINGS: '1' } });
  assert.equal(told.err, '');
});

test('a user may have no home, or one that is none', () => {
  const none = (): string => {
    throw new Error('uv_os_homedir returned ENOENT (no such file or directory)');
  };
  assert.equal(homeOf([() => '/home/a', none]), '/home/a');
  for (const odd of [none, () => '', () => 'relative']) {
    assert.equal(homeOf([odd, () => '/home/b']), '/home/b');
    assert.equal(homeOf([odd, none]), '/');
  }
});

test('where nothing temporary can be made, it is said how to choose another place', async (t) => {
  const place = temporaryDirectory(t);
  const start = ['bench', 'micro', '--samples', '1'];
  for (const command of [['testnet', '--base-port', '0'], start]) {
    const ran = await quorate([...command, '--json'], { env: { TMPDIR: join(place, 'missing') } });
    assert.equal(ran.code, 1, ran.out);
    assert.match(problemOf(ran).remedy, /^Set TMPDIR /);
  }
  assert.deepEqual(readdirSync(place), []);
});

test('a path in a command that is printed can be pasted into a shell', () => {
  assert.equal(shellWord('/tmp/a-b_1.c'), '/tmp/a-b_1.c');
  const odd = [
    'a b',
    `it's "$HOME"`,
    '*?[x]{y}',
    'a;b&c|d',
    '#x',
    '~',
    '`id`',
    'two\nlines',
    'back\\slash',
    'é',
  ];
  for (const name of odd) {
    const echoed = execFileSync('sh', ['-c', `printf %s ${shellWord(name)}`], { encoding: 'utf8', cwd: '/' });
    assert.equal(echoed, name);
  }
});

test(
  'where too few files may be opened for Node to start, that is said',
  { skip: process.platform === 'win32' },
  () => {
    const few = 'ulimit -n 20 && exec "$0" keys list --keys /nonexistent';
    const { status, stderr } = spawnSync('/bin/sh', ['-c', few, launcher], { encoding: 'utf8' });
    assert.equal(status, 70);
    assert.match(stderr, /no more than 20 files[^]*ulimit -n 1024/);
  },
);
