import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Problem } from '../../../src/base/problem.ts';
import { encodeAddress } from '../../../src/crypto/address.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { generateKeyPair } from '../../../src/crypto/keys.ts';
import { encryptKey } from '../../../src/crypto/keystore.ts';
import { formatGenesis } from '../../../src/ledger/genesis.ts';
import type { GenesisContent } from '../../../src/ledger/genesis-content.ts';
import { initDirectory, loadConfig, type NodeConfig, paths } from '../../../src/node/process/config.ts';
import { testGenesis } from '../cluster.ts';

const genesis = formatGenesis(testGenesis(4));
const keyFile = encryptKey(developmentKeyPair('validator-0'), undefined, { name: 'validator-0' });
const config: NodeConfig = {
  name: 'node-0',
  role: 'validator',
  listen: ['/ip4/127.0.0.1/tcp/0'],
  peers: [],
  api: { host: '127.0.0.1', port: 0 },
  log: 'silent',
};

let root: string;
let counter = 0;
const fresh = (): string => join(root, `node-${counter++}`);
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-config-'));
});
after(() => rm(root, { recursive: true }));

async function made(changes: Partial<NodeConfig> = {}): Promise<string> {
  const directory = fresh();
  await initDirectory({ directory, config: { ...config, ...changes }, genesis, validatorKeyFile: keyFile });
  return directory;
}

describe('a data directory', () => {
  test('is read as it was made', async () => {
    const directory = await made();
    const loaded = await loadConfig(directory);
    assert.deepEqual(loaded.config, config);
    assert.equal(loaded.genesis.chainId, testGenesis(4).chainId);
    assert.equal(loaded.validatorKeyFile, keyFile);
  });

  test('gives each node a key of its own for the network, and lets nobody else read keys', async () => {
    const [one, two] = [await made(), await made()];
    const [a, b] = [await loadConfig(one), await loadConfig(two)];
    assert.notEqual(a.nodeKey.publicKey, b.nodeKey.publicKey);
    for (const path of [paths.nodeKey(one), paths.validatorKey(one)]) {
      assert.equal((await stat(path)).mode & 0o077, 0, path);
    }
  });

  test('that lost its config.json, or was never made to its end, keeps its keys when it is made again', async () => {
    const directory = await made();
    const { nodeKey } = await loadConfig(directory);
    await unlink(paths.config(directory));
    const other = encryptKey(developmentKeyPair('validator-1'), undefined, { name: 'validator-1' });
    await assert.rejects(
      initDirectory({ directory, config, genesis, validatorKeyFile: other }),
      (problem) =>
        problem instanceof Problem &&
        problem.code === 'config/exists' &&
        problem.message.includes(paths.validatorKey(directory)),
    );
    assert.equal(await readFile(paths.validatorKey(directory), 'utf8'), keyFile);
    await initDirectory({ directory, config: { ...config, role: 'observer' }, genesis });
    assert.equal(await readFile(paths.validatorKey(directory), 'utf8'), keyFile);
    await unlink(paths.config(directory));
    await initDirectory({ directory, config, genesis, validatorKeyFile: keyFile });
    const again = await loadConfig(directory);
    assert.equal(again.nodeKey.publicKey, nodeKey.publicKey);
    assert.equal(again.validatorKeyFile, keyFile);
  });

  test('is never made over another one', async () => {
    const directory = await made();
    await assert.rejects(initDirectory({ directory, config, genesis, validatorKeyFile: keyFile }), {
      code: 'config/exists',
    });
  });

  test('of an observer needs no key', async () => {
    const directory = fresh();
    await initDirectory({ directory, config: { ...config, role: 'observer' }, genesis });
    assert.equal((await loadConfig(directory)).validatorKeyFile, null);
  });

  test('of a validator is not made, and not read, without its key', async () => {
    await assert.rejects(initDirectory({ directory: fresh(), config, genesis }), {
      code: 'config/missing-key',
    });
    const directory = await made();
    await unlink(paths.validatorKey(directory));
    await assert.rejects(loadConfig(directory), { code: 'config/missing-key' });
  });

  test('with something else instead is what that says, in all that follows from it', async () => {
    const directory = await made();
    const observer = await loadConfig(directory, { role: 'observer' });
    assert.equal(
      observer.validatorKeyFile,
      null,
      'who only follows does not speak with the key of a validator',
    );
    assert.equal((await loadConfig(directory, { log: 'silent' })).config.log, 'silent');
    const wrong = { snapshots: { everyBlocks: 0, keepBlocks: 0 } };
    await assert.rejects(loadConfig(directory, wrong), { code: 'config/malformed' });
    const keyless = fresh();
    await initDirectory({ directory: keyless, config: { ...config, role: 'observer' }, genesis });
    await assert.rejects(loadConfig(keyless, { role: 'validator' }), { code: 'config/missing-key' });
  });

  test('refuses a development key on a chain that is not for development', async () => {
    const content: GenesisContent = {
      ...testGenesis(4),
      development: false,
      namespaces: [],
      validators: [{ name: 'one', publicKey: generateKeyPair().publicKey }],
      accounts: [{ publicKey: generateKeyPair().publicKey, balance: 1n }],
    };
    await assert.rejects(
      initDirectory({
        directory: fresh(),
        config,
        genesis: formatGenesis(content),
        validatorKeyFile: keyFile,
      }),
      { code: 'config/development-key' },
    );
  });

  test('that is none is named as such', async () => {
    await assert.rejects(loadConfig(fresh()), { code: 'config/missing' });
  });

  test('with a missing or damaged file says which one', async () => {
    const noGenesis = await made();
    await unlink(paths.genesis(noGenesis));
    await assert.rejects(loadConfig(noGenesis), /genesis\.json/);
    const noKey = await made();
    await unlink(paths.nodeKey(noKey));
    await assert.rejects(loadConfig(noKey), /node\.json/);
    const badGenesis = await made();
    await writeFile(paths.genesis(badGenesis), '{}');
    await assert.rejects(loadConfig(badGenesis), /genesis/);
  });

  test('names observers by address or by key, and knows the words for all and nobody', async () => {
    const { publicKey } = developmentKeyPair('carol');
    for (const observers of [
      'members',
      'open',
      [],
      [publicKey, publicKey.toUpperCase(), encodeAddress(publicKey)],
    ]) {
      const directory = await made();
      const value = JSON.parse(await readFile(paths.config(directory), 'utf8')) as object;
      await writeFile(paths.config(directory), JSON.stringify({ ...value, observers }));
      const expected = typeof observers === 'string' ? observers : observers.map(() => publicKey);
      assert.deepEqual((await loadConfig(directory)).config.observers, expected);
    }
  });

  test('with a mistake in config.json names the field', async () => {
    const mistakes: [string, (value: Record<string, unknown>) => unknown][] = [
      ['role', (value) => ({ ...value, role: 'king' })],
      ['api.port', (value) => ({ ...value, api: { host: 'localhost', port: 70_000 } })],
      ['api.operatorToken', (value) => ({ ...value, api: { ...config.api, operatorToken: 'short' } })],
      ['api.advertise', (value) => ({ ...value, api: { ...config.api, advertise: 'node-1:4600' } })],
      ['api.advertise', (value) => ({ ...value, api: { ...config.api, advertise: 'http://a:b@node-1' } })],
      ['snapshots.everyBlocks', (value) => ({ ...value, snapshots: { everyBlocks: 0, keepBlocks: 0 } })],
      ['keep', (value) => ({ ...value, snapshots: { everyBlocks: 5, keepBlocks: 5, keep: 5 } })],
      ['observers', (value) => ({ ...value, observers: 'nobody' })],
      ['observers', (value) => ({ ...value, observers: null })],
      ['observers', (value) => ({ ...value, observers: { open: true } })],
      ['observers', (value) => ({ ...value, observers: ['open'] })],
      ['observers', (value) => ({ ...value, observers: ['00'.repeat(32)] })],
      ['observers', (value) => ({ ...value, observers: Array<string>(257).fill('ab'.repeat(32)) })],
      ['listen', (value) => ({ ...value, listen: 'everywhere' })],
      ['lissten', (value) => ({ ...value, lissten: [] })],
      ['lissten', ({ listen, ...others }) => ({ ...others, lissten: listen })],
      ['prot', (value) => ({ ...value, api: { host: '127.0.0.1', prot: 0 } })],
      ['name', (value) => ({ ...value, name: '' })],
      ['name', (value) => ({ ...value, name: 'a\nb' })],
      ['name', (value) => ({ ...value, name: '\u200b' })],
      ['api.host', (value) => ({ ...value, api: { ...config.api, host: '256.1.1.1' } })],
      ['api.host', (value) => ({ ...value, api: { ...config.api, host: '[::1]' } })],
      ['api.host', (value) => ({ ...value, api: { ...config.api, host: 'http://localhost' } })],
    ];
    for (const [field, change] of mistakes) {
      const directory = await made();
      const value = JSON.parse(await readFile(paths.config(directory), 'utf8')) as Record<string, unknown>;
      await writeFile(paths.config(directory), JSON.stringify(change(value)));
      await assert.rejects(loadConfig(directory), (problem: Error) => problem.message.includes(`"${field}"`));
    }
    const directory = await made();
    await writeFile(paths.config(directory), '{');
    await assert.rejects(loadConfig(directory), { code: 'config/malformed' });
  });
});
