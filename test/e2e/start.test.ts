import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { unwrap } from '../../src/base/problem.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { generateKeyPair } from '../../src/crypto/keys.ts';
import { createGenesis, formatGenesis, parseGenesis } from '../../src/ledger/genesis.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { Running } from './processes.ts';

const genesis = join(import.meta.dirname, '../../genesis/single.json');
const local = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0'];
/** A chain of one validator whose key nobody else knows, and which is not for development. */
async function seriousChain(t: TestContext): Promise<{ file: string; keys: string }> {
  const directory = temporaryDirectory(t);
  const env = { QUORATE_PASSWORD: 'secret' };
  const made = jsonOf(await quorate(['keys', 'new', 'dora', '--json', '--keys', directory], { env }));
  const template = unwrap(
    createGenesis({
      name: 'serious',
      development: false,
      timestamp: 1_767_225_600_000,
      consensus: {
        engine: 'pbft',
        window: 8,
        viewTimeoutMs: 2_000,
        viewTimeoutCapMs: 30_000,
        blocksPerPrimary: 0,
        heartbeatMs: 0,
        censorshipMs: 10_000,
        blockIntervalMs: 50,
      },
      validators: [{ name: 'dora', publicKey: made['publicKey'] as PublicKey }],
      accounts: [{ publicKey: generateKeyPair().publicKey, balance: 1_000n }],
    }),
  );
  const file = join(directory, 'serious.genesis');
  writeFileSync(file, formatGenesis(template));
  return { file, keys: directory };
}

async function initSingle(data: string, where: readonly string[] = local): Promise<void> {
  const args = ['init', '--data', data, '--genesis', genesis, '--key', 'validator-0', ...where];
  const ran = await quorate(args);
  assert.equal(ran.code, 0, ran.err);
}

test('init, start, a transaction, SIGTERM: a node of one validator', async (t) => {
  const data = join(temporaryDirectory(t), 'node');
  await initSingle(data);
  const node = new Running(t, ['start', '--data', data]);
  const { api } = await node.event<{ api: string }>('started');
  const paid = await quorate(['tx', 'transfer', 'bob', '5', '--from', 'alice', '--wait', '--node', api]);
  assert.equal(paid.code, 0, paid.err);
  assert.equal(unwrap(await new HttpClient({ baseUrl: api }).status()).validator?.index, 0);

  const second = await quorate(['start', '--data', data, '--json', '--log', 'silent']);
  assert.equal(second.code, 1, 'a directory in use');
  assert.match(problemOf(second).code, /^storage\/in-use/);

  node.child.kill('SIGTERM');
  assert.equal(await node.ended(), 0, node.errors);
});

test('init refuses what would not start, and says what to do', async (t) => {
  const directory = temporaryDirectory(t);
  const data = join(directory, 'node');
  const broken = join(directory, 'broken.json');
  writeFileSync(broken, readFileSync(genesis, 'utf8').replace('"window"', '"windows"'));
  for (const [args, code, exit] of [
    [['--genesis', '/nowhere.json', '--key', 'validator-0'], 'cli/file', 1],
    [['--genesis', broken, '--key', 'validator-0'], 'genesis/', 1],
    [['--genesis', genesis], 'cli/usage', 2],
    [['--genesis', genesis, '--observer', '--key', 'validator-0'], 'cli/usage', 2],
    [['--genesis', genesis, '--key', 'nobody'], 'cli/key-missing', 1],
    [['--genesis', genesis, '--key', '/nowhere/key.json'], 'cli/key-missing', 1],
  ] as const) {
    const ran = await quorate(['init', '--data', data, ...args, '--json']);
    assert.equal(ran.code, exit, ran.err);
    assert.ok(problemOf(ran).code.startsWith(code), `${problemOf(ran).code}, not ${code}`);
  }
  await initSingle(data);
  const again = await quorate([
    'init',
    '--data',
    data,
    '--genesis',
    genesis,
    '--key',
    'validator-0',
    '--json',
  ]);
  assert.equal(problemOf(again).code, 'config/exists');
});

test('a chain of value: no development keys, and the validator’s password from the environment', async (t) => {
  const { file, keys } = await seriousChain(t);
  const data = join(temporaryDirectory(t), 'node');
  const init = ['init', '--data', data, '--genesis', file, '--keys', keys, '--json', ...local, '--key'];
  assert.equal(problemOf(await quorate([...init, 'validator-0'])).code, 'config/development-key');
  const made = await quorate([...init, 'dora']);
  assert.equal(made.code, 0, made.err);
  assert.equal(jsonOf(made)['validator'], 0);

  const start = ['start', '--data', data, '--json', '--log', 'silent'];
  assert.equal(problemOf(await quorate(start)).code, 'cli/password-missing');
  const wrong = await quorate(start, { env: { QUORATE_PASSWORD: 'guess' } });
  assert.equal(problemOf(wrong).code, 'keys/wrong-password');

  const password = join(keys, 'password');
  writeFileSync(password, 'secret\n');
  const node = new Running(t, ['start', '--data', data, '--password-file', password]);
  const { api } = await node.event<{ api: string }>('started');
  const refused = await quorate(['tx', 'put', 'a', 'b', '--from', 'alice', '--node', api, '--json']);
  assert.equal(problemOf(refused).code, 'cli/development-key');
  node.child.kill('SIGINT');
  assert.equal(await node.ended(), 0, node.errors);
});

test('start says what is wrong with a directory, and never starts afresh', async (t) => {
  const directory = temporaryDirectory(t);
  const start = async (data: string): Promise<string> => {
    const ran = await quorate(['start', '--data', data, '--json', '--log', 'silent']);
    assert.equal(ran.code, 1, ran.err);
    return problemOf(ran).code;
  };
  assert.equal(await start(join(directory, 'nothing')), 'config/missing');

  const node = join(directory, 'node');
  await initSingle(node);
  const vain = await quorate(['start', '--data', node, '--json', '--password-file', '/none']);
  assert.deepEqual([vain.code, problemOf(vain).code], [2, 'cli/usage'], 'its key has no password');
  const config = join(node, 'config.json');
  const good = readFileSync(config, 'utf8');
  writeFileSync(config, good.slice(1));
  assert.equal(await start(node), 'config/malformed');
  writeFileSync(config, good);

  const used = new Running(t, ['start', '--data', node]);
  await used.event('started');
  used.child.kill('SIGTERM');
  assert.equal(await used.ended(), 0);
  const other = unwrap(
    createGenesis({ ...unwrap(parseGenesis(readFileSync(genesis, 'utf8'))), name: 'other' }),
  );
  writeFileSync(join(node, 'genesis.json'), formatGenesis(other));
  assert.match(await start(node), /^storage\//);

  rmSync(join(node, 'keys', 'validator.json'));
  assert.equal(await start(node), 'config/missing-key');
});

test('a port in use is a problem that names it', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const data = join(temporaryDirectory(t), 'api');
  await initSingle(data, ['--api', `127.0.0.1:${port}`, '--listen', '/ip4/127.0.0.1/tcp/0']);
  const api = await quorate(['start', '--data', data, '--json', '--log', 'silent']);
  assert.equal(api.code, 1);
  assert.match(problemOf(api).message, new RegExp(String(port)));

  const peers = join(temporaryDirectory(t), 'peers');
  await initSingle(peers, ['--api', '127.0.0.1:0', '--listen', `/ip4/127.0.0.1/tcp/${port}`]);
  const listen = await quorate(['start', '--data', peers, '--json', '--log', 'silent']);
  assert.equal(listen.code, 1, listen.err);
  assert.match(problemOf(listen).message, new RegExp(String(port)));
});

test('an observer follows without a key of the committee', async (t) => {
  const data = join(temporaryDirectory(t), 'node');
  await quorate(['init', '--data', data, '--genesis', genesis, '--observer', ...local]);
  const node = new Running(t, ['start', '--data', data]);
  const { api } = await node.event<{ api: string }>('started');
  assert.equal(unwrap(await new HttpClient({ baseUrl: api }).status()).validator, null);
  node.child.kill('SIGTERM');
  assert.equal(await node.ended(), 0, node.errors);
});
