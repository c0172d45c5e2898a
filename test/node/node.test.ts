import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { encryptKey, readKeyFile } from '../../src/crypto/keystore.ts';
import { formatGenesis, type Genesis } from '../../src/ledger/genesis.ts';
import { type Logger, silentLog } from '../../src/node/process/log.ts';
import { initDirectory, loadConfig, type NodeConfig, paths } from '../../src/node/process/config.ts';
import { type RunningNode, startNode } from '../../src/node/node.ts';
import { eventually } from '../support/eventually.ts';
import { raftGenesis, signedTransaction, testGenesis } from './cluster.ts';

let root: string;
let counter = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-node-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function makeDirectory(
  genesis: Genesis,
  validator: number | 'observer',
  changes: Partial<NodeConfig> = {},
  password?: string,
): Promise<string> {
  const directory = join(root, `node-${counter++}`);
  const name = `validator-${validator}`;
  const config: NodeConfig = {
    name,
    role: validator === 'observer' ? 'observer' : 'validator',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: [],
    api: { host: '127.0.0.1', port: 0 },
    log: 'silent',
    ...changes,
  };
  const cost = { n: 1_024, r: 8, p: 1 };
  await initDirectory({
    directory,
    config,
    genesis: formatGenesis(genesis),
    ...(validator === 'observer'
      ? {}
      : { validatorKeyFile: encryptKey(developmentKeyPair(name), password, { name, cost }) }),
  });
  return directory;
}

const start = (directory: string, override: Partial<NodeConfig> = {}): Promise<RunningNode> =>
  startNode({ directory, override, log: silentLog });

async function ask(
  node: RunningNode,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(new URL(path, node.apiAddress));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function submit(node: RunningNode, genesis: Genesis, nonce: number): Promise<void> {
  const { bytes } = signedTransaction(genesis, 'alice', { nonce });
  const response = await fetch(new URL('/v1/transactions', node.apiAddress), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ transaction: Buffer.from(bytes).toString('hex') }),
  });
  assert.ok(response.ok, await response.text());
}

const withoutPeer = (address: string): string => address.replace(/\/p2p\/.*$/, '');
const heightOf = async (node: RunningNode): Promise<number> =>
  Number((await ask(node, '/v1/status')).body['finalHeight']);
const aliceNonce = async (node: RunningNode): Promise<number> =>
  Number((await ask(node, `/v1/accounts/${developmentKeyPair('alice').publicKey}`)).body['nonce']);

describe('a node of its own', () => {
  test('makes transactions final, stops in order, and goes on where it was', async () => {
    const genesis = testGenesis(1);
    const directory = await makeDirectory(genesis, 0);
    const first = await start(directory);
    await submit(first, genesis, 0);
    await eventually('the first transaction is final', async () => (await aliceNonce(first)) === 1);
    const { finalHash } = (await ask(first, '/v1/status')).body;
    await first.stop();
    assert.equal(await first.ended, undefined);

    const second = await start(directory);
    assert.equal((await ask(second, '/v1/status')).body['finalHash'], finalHash);
    await submit(second, genesis, 1);
    await eventually('the second transaction is final', async () => (await aliceNonce(second)) === 2);
    assert.equal((await ask(second, '/v1/ready')).status, 200);
    await second.stop();
  });
});

describe('four nodes over the network', () => {
  test('agree; one that is stopped catches up when it starts again; an observer follows', async () => {
    const genesis = testGenesis(4);
    const first = await start(await makeDirectory(genesis, 0));
    const peers = [...first.addresses];
    const directories = await Promise.all([1, 2, 3].map((index) => makeDirectory(genesis, index, { peers })));
    const nodes: RunningNode[] = [first];
    for (const directory of directories) {
      const node = await start(directory, { peers });
      peers.push(...node.addresses);
      nodes.push(node);
    }
    await eventually('all are ready', async () =>
      (await Promise.all(nodes.map((node) => ask(node, '/v1/ready')))).every(({ status }) => status === 200),
    );
    const [, , , last] = nodes as [RunningNode, RunningNode, RunningNode, RunningNode];
    await submit(last, genesis, 0);
    await eventually('all have it', async () =>
      (await Promise.all(nodes.map(aliceNonce))).every((nonce) => nonce === 1),
    );

    await last.stop();
    await submit(first, genesis, 1);
    await eventually('the others go on', async () => (await aliceNonce(first)) === 2);
    const again = await start(directories[2] ?? '', { peers });
    const observer = await start(await makeDirectory(genesis, 'observer', { peers }));
    await eventually(
      'both catch up',
      async () => (await aliceNonce(again)) === 2 && (await aliceNonce(observer)) === 2,
    );
    const running = [...nodes.slice(0, 3), again, observer];
    const height = Math.min(...(await Promise.all(running.map(heightOf))));
    const hashes = await Promise.all(
      running.map(async (node) => (await ask(node, `/v1/blocks/${height}`)).body['hash']),
    );
    assert.equal(new Set(hashes).size, 1);
    await Promise.all(running.map((node) => node.stop()));
  });
});

describe('a chain of known members', () => {
  test('turns observers away and says what to do, until they are listed; validators need no peer id in an address', async () => {
    const genesis = testGenesis(2);
    const observerDirectory = await makeDirectory(genesis, 'observer');
    const { nodeKey } = await loadConfig(observerDirectory);
    const first = await start(await makeDirectory(genesis, 0), { observers: 'members' });
    const listed = { observers: [nodeKey.publicKey], peers: first.addresses.map(withoutPeer) };
    const second = await start(await makeDirectory(genesis, 1), listed);
    await eventually('the validators are ready', async () => (await ask(first, '/v1/ready')).status === 200);

    const said: string[] = [];
    const log = {
      ...silentLog,
      warn: (text: string, more?: object) => said.push(`${text} ${JSON.stringify(more)}`),
    };
    const observer = await startNode({
      directory: observerDirectory,
      override: { peers: first.addresses },
      log,
    });
    await eventually('it is told', async () => said.some((text) => text.includes('network/not-a-member')));
    await observer.stop();

    const welcome = await start(observerDirectory, { peers: second.addresses });
    await submit(first, genesis, 0);
    await eventually('the listed one follows', async () => (await aliceNonce(welcome)) === 1);
    await Promise.all([first, second, welcome].map((node) => node.stop()));
  });
});

describe('what keeps a node from starting is said, with its remedy, and leaves nothing open', () => {
  const genesis = testGenesis(1);
  let directory: string;
  before(async () => {
    directory = await makeDirectory(genesis, 0);
  });

  async function occupied(): Promise<{ port: number; server: Server }> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    return { port: address.port, server };
  }

  const refuses = async (path: string, override: Partial<NodeConfig>, code: RegExp): Promise<void> => {
    await assert.rejects(start(path, override), (problem: { code: string; remedy: string }) => {
      assert.match(problem.code, code);
      assert.ok(problem.remedy.length > 0);
      return true;
    });
  };

  test('a port that is taken, of the API or of the network', async () => {
    const { port, server } = await occupied();
    await refuses(directory, { api: { host: '127.0.0.1', port } }, /^api\//);
    await refuses(directory, { listen: [`/ip4/127.0.0.1/tcp/${port}`] }, /^network\//);
    server.close();
    const node = await start(directory);
    await node.stop();
  });

  test('an override that config.json could not have; and one that is an observer never votes', async () => {
    await refuses(directory, { name: '' }, /^config\/malformed$/);
    const node = await start(directory, { role: 'observer' });
    const { validator } = (await ask(node, '/v1/status')).body;
    await node.stop();
    assert.equal(validator, null);
  });

  test('a directory that another node uses', async () => {
    const node = await start(directory);
    await refuses(directory, {}, /^storage\/in-use$/);
    await node.stop();
  });

  test('a genesis that is not the one of the database', async () => {
    const path = await makeDirectory(genesis, 0);
    await (await start(path)).stop();
    await writeFile(paths.genesis(path), formatGenesis({ ...genesis, timestamp: genesis.timestamp + 1 }));
    await refuses(path, {}, /^storage\/other-chain$/);
  });

  test('a key without its password, or with a wrong one', async () => {
    const path = await makeDirectory(genesis, 0, {}, 'correct horse');
    await assert.rejects(startNode({ directory: path, log: silentLog }), { code: 'keys/password-needed' });
    await assert.rejects(startNode({ directory: path, password: 'wrong', log: silentLog }), {
      code: 'keys/wrong-password',
    });
    const node = await startNode({ directory: path, password: 'correct horse', log: silentLog });
    await node.stop();
  });
});

test('a validator whose database was lost says that it does not vote yet', async () => {
  const genesis = testGenesis(4);
  const directory = await makeDirectory(genesis, 0);
  const node = await start(directory);
  assert.equal((await ask(node, '/v1/status')).body['voting'], true);
  await node.stop();
  assert.match(await readFile(paths.usedKey(directory, 'validator'), 'utf8'), new RegExp(genesis.chainId));
  await rm(paths.database(directory), { recursive: true });
  const again = await start(directory);
  assert.equal((await ask(again, '/v1/status')).body['voting'], false);
  await again.stop();
});

test('a validator whose database is an old copy does not vote, and says so, until its operator knows better', async () => {
  const genesis = testGenesis(4);
  const directory = await makeDirectory(genesis, 0);
  const database = paths.database(directory);
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLog,
    warn: (message, data) => void warnings.push(`${message} ${JSON.stringify(data)}`),
  };
  const startOnce = async (assumeFirstUse: boolean): Promise<{ voting: unknown; ready: Response }> => {
    const node = await startNode({ directory, log, assumeFirstUse });
    const { voting } = (await ask(node, '/v1/status')).body;
    const ready = await fetch(new URL('/v1/ready', node.apiAddress));
    await node.stop();
    return { voting, ready };
  };
  await startOnce(false);
  await cp(database, `${database}-copy`, { recursive: true });
  assert.equal((await startOnce(false)).voting, true);
  await rm(database, { recursive: true });
  await rename(`${database}-copy`, database);
  const { voting, ready } = await startOnce(false);
  assert.equal(voting, false);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /node\/not-voting/);
  assert.match(warnings.join(' '), /an old copy/);
  // At a later start as well as at the first one.
  assert.equal((await startOnce(false)).voting, false);
  warnings.length = 0;
  assert.equal((await startOnce(true)).voting, true);
  assert.match(warnings.join(' '), /votes at once, as told/);
  warnings.length = 0;
  assert.equal((await startOnce(false)).voting, true);
  assert.doesNotMatch(warnings.join(' '), /lost|old copy|as told/);
});

test('says that it deletes no blocks, where its configuration asks for that and its engine cannot', async () => {
  const snapshots = { everyBlocks: 10, keepBlocks: 5 };
  for (const [genesis, expected] of [
    [testGenesis(1), 1],
    [raftGenesis(1), 0],
  ] as const) {
    const warnings: string[] = [];
    const log: Logger = { ...silentLog, warn: (message) => void warnings.push(message) };
    const directory = await makeDirectory(genesis, 0, { snapshots });
    const node = await startNode({ directory, log });
    await node.stop();
    assert.equal(warnings.filter((line) => line.includes('delete no blocks')).length, expected);
  }
});

test('an observer that became a voter and whose database was lost does not vote again either', async () => {
  const genesis = raftGenesis(1);
  const leader = await start(await makeDirectory(genesis, 0));
  const peers = leader.addresses;
  const directory = await makeDirectory(genesis, 'observer', { peers });
  const first = await start(directory);
  await first.stop();
  await rm(paths.database(directory), { recursive: true });
  // It had no vote yet, so nothing was lost.
  const observer = await start(directory);
  assert.match(String((await ask(observer, '/v1/why')).body['why']), /this node is no member/);
  const key = unwrap(readKeyFile(await readFile(paths.nodeKey(directory), 'utf8'))).publicKey;
  for (const role of ['learner', 'voter']) {
    await eventually(`it is a ${role}`, async () => {
      const response = await fetch(new URL('/v1/members', leader.apiAddress), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ changes: [{ member: key, role }] }),
      });
      return response.ok;
    });
  }
  await eventually('it votes', async () => (await ask(observer, '/v1/status')).body['voting'] === true);
  const height = await heightOf(observer);
  await observer.stop();
  const same = await start(directory);
  await eventually('it votes', async () => (await ask(same, '/v1/status')).body['voting'] === true);
  await same.stop();
  await rm(paths.database(directory), { recursive: true });
  const again = await start(directory);
  await eventually('it has the blocks', async () => (await heightOf(again)) >= height);
  const { body } = await ask(again, '/v1/status');
  assert.deepEqual([body['validator'] !== null, body['voting']], [true, false]);
  await again.stop();
  await leader.stop();
});
