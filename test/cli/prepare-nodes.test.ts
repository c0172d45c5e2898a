import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { developmentGenesis } from '../../src/cli/testnet/development-genesis.ts';
import { prepareNodes } from '../../src/cli/testnet/prepare-nodes.ts';
import { type NodeConfig, paths } from '../../src/node/process/config.ts';
import { temporaryDirectory } from './quorate.ts';

const genesis = developmentGenesis('raft', 3);
/** No port is opened here. */
const portsFrom = (base: number) =>
  [0, 1, 2].map((index) => ({ api: base + 2 * index, peers: base + 2 * index + 1 }));

/** One directory, prepared as often as asked, each time on other ports. */
function testnet(t: TestContext) {
  const directory = temporaryDirectory(t);
  const pathOf = (index: number): string => paths.config(join(directory, `validator-${index}`));
  const read = async (path: string): Promise<NodeConfig> =>
    JSON.parse(await readFile(path, 'utf8')) as NodeConfig;
  /** Gives the configuration of one of the nodes. */
  const prepare = async (base: number, index = 0): Promise<NodeConfig> => {
    await prepareNodes({ directory, genesis, ports: portsFrom(base) });
    return read(pathOf(index));
  };
  /** Changes that of the first one, as a person would. */
  const change = async (edit: (config: NodeConfig) => unknown): Promise<void> => {
    const config = await prepare(5_000);
    await writeFile(pathOf(0), JSON.stringify(edit(config)));
  };
  const lose = (index: number): Promise<void> =>
    rm(join(directory, `validator-${index}`), { recursive: true });
  return { prepare, change, lose };
}

describe('the directories of a test network', () => {
  test('say where the nodes listen, and tell the others where their APIs are', async (t) => {
    assert.deepEqual(await testnet(t).prepare(5_000, 1), {
      name: 'validator-1',
      role: 'validator',
      listen: ['/ip4/127.0.0.1/tcp/5003'],
      peers: ['/ip4/127.0.0.1/tcp/5001', '/ip4/127.0.0.1/tcp/5005'],
      api: { host: '127.0.0.1', port: 5_002, advertise: 'http://127.0.0.1:5002' },
      log: 'info',
    });
  });

  test('are the same when nothing changed, and follow the ports of each run', async (t) => {
    const { prepare } = testnet(t);
    const first = await prepare(5_000);
    assert.deepEqual(await prepare(5_000), first);
    assert.deepEqual(await prepare(6_000), {
      ...first,
      listen: ['/ip4/127.0.0.1/tcp/6001'],
      peers: ['/ip4/127.0.0.1/tcp/6003', '/ip4/127.0.0.1/tcp/6005'],
      api: { host: '127.0.0.1', port: 6_000, advertise: 'http://127.0.0.1:6000' },
    });
  });

  test('are those of new keys until a node is started: one that is missing beside others was lost', async (t) => {
    const directory = temporaryDirectory(t);
    const firstUses = async (): Promise<unknown[]> => {
      const nodes = await prepareNodes({ directory, genesis, ports: portsFrom(5_000) });
      return nodes.map(({ firstUse }) => firstUse);
    };
    assert.deepEqual(await firstUses(), [true, true, true]);
    assert.deepEqual(await firstUses(), [true, true, true], 'a run that ended before it started one');
    const note = paths.usedKey(join(directory, 'validator-0'), 'validator');
    for (const trace of [note, paths.database(join(directory, 'validator-0'))]) {
      await writeFile(trace, '');
      assert.deepEqual(await firstUses(), [false, false, false]);
      await rm(join(directory, 'validator-1'), { recursive: true });
      assert.deepEqual(await firstUses(), [false, false, false]);
      await rm(trace);
    }
  });

  test('keep whatever else was changed in config.json', async (t) => {
    const { prepare, change } = testnet(t);
    const extra = '/ip4/127.0.0.1/tcp/7999';
    await change((config) => ({
      ...config,
      log: 'debug',
      snapshots: { everyBlocks: 50, keepBlocks: 10 },
      listen: [...config.listen, '/ip4/0.0.0.0/tcp/8000'],
      peers: [...config.peers, extra],
      api: {
        ...config.api,
        host: '0.0.0.0',
        operatorToken: 'a-token-of-operators',
        advertise: 'http://me.example:2',
      },
    }));
    for (const base of [5_000, 6_000, 6_000]) {
      assert.deepEqual(await prepare(base), {
        name: 'validator-0',
        role: 'validator',
        log: 'debug',
        snapshots: { everyBlocks: 50, keepBlocks: 10 },
        listen: [`/ip4/127.0.0.1/tcp/${base + 1}`, '/ip4/0.0.0.0/tcp/8000'],
        peers: [`/ip4/127.0.0.1/tcp/${base + 3}`, `/ip4/127.0.0.1/tcp/${base + 5}`, extra],
        api: {
          host: '0.0.0.0',
          port: base,
          operatorToken: 'a-token-of-operators',
          advertise: 'http://me.example:2',
        },
      });
    }
    assert.equal((await prepare(6_000, 1)).snapshots, undefined, 'of that node alone');
  });

  test('do not name the old port of one that is made anew, and keep what was added to all', async (t) => {
    const { prepare, change, lose } = testnet(t);
    const extra = '/ip4/127.0.0.1/tcp/7999';
    await change((config) => ({ ...config, peers: [...config.peers, extra] }));
    await lose(2);
    const peersOf = async (index: number) => (await prepare(6_000, index)).peers;
    assert.deepEqual(await peersOf(0), ['/ip4/127.0.0.1/tcp/6003', '/ip4/127.0.0.1/tcp/6005', extra]);
    assert.deepEqual(await peersOf(1), ['/ip4/127.0.0.1/tcp/6001', '/ip4/127.0.0.1/tcp/6005']);
  });

  test('of before there was anything to advertise get what is missing', async (t) => {
    const { prepare, change } = testnet(t);
    await change(({ api: { host, port }, ...config }) => ({ ...config, api: { host, port } }));
    assert.equal((await prepare(5_000)).api.advertise, 'http://127.0.0.1:5000');
  });

  test('with a mistake in config.json are not overwritten: it is said what is wrong', async (t) => {
    const { prepare, change } = testnet(t);
    await change((config) => ({ ...config, snapshots: { everyBlocks: 0, keepBlocks: 1 } }));
    await assert.rejects(prepare(5_000), { code: 'config/malformed' });
  });

  test('of another chain are a problem', async (t) => {
    const directory = temporaryDirectory(t);
    await prepareNodes({ directory, genesis, ports: portsFrom(5_000) });
    const ports = [...portsFrom(5_000), { api: 5_100, peers: 5_101 }];
    const other = prepareNodes({ directory, genesis: developmentGenesis('raft', 4), ports });
    await assert.rejects(other, { code: 'cli/testnet-other' });
  });
});
