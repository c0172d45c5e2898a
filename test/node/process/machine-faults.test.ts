import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { machineRemedies } from '../../../src/base/machine-fault.ts';
import { Problem } from '../../../src/base/problem.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { encryptKey } from '../../../src/crypto/keystore.ts';
import { initDirectory, loadConfig } from '../../../src/node/process/config.ts';
import { startNode } from '../../../src/node/node.ts';
import { openLevelStore } from '../../../src/storage/level-store.ts';
import { launcher, temporaryDirectory } from '../../cli/quorate.ts';

const root = join(import.meta.dirname, '../../..');

async function dataDirectory(t: TestContext): Promise<string> {
  const directory = temporaryDirectory(t);
  await initDirectory({
    directory,
    genesis: readFileSync(join(root, 'genesis/single.json'), 'utf8'),
    config: {
      name: 'a',
      role: 'validator',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      peers: [],
      api: { host: '127.0.0.1', port: 0 },
      log: 'silent',
    },
    validatorKeyFile: encryptKey(developmentKeyPair('validator-0'), undefined, { name: 'validator-0' }),
  });
  return directory;
}

async function problemOf(call: () => Promise<unknown>): Promise<Problem> {
  const thrown = await call().then(
    () => assert.fail('nothing was wrong'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Problem, String(thrown));
  return thrown;
}

async function startOf(directory: string): Promise<void> {
  const node = await startNode({ directory });
  await node.stop();
}

suite('what the machine refuses is named with its file, and never asked to be reported', () => {
  for (const file of ['config.json', 'genesis.json', 'keys/node.json', 'keys/validator.json']) {
    test(`${file} is a directory`, async (t) => {
      const directory = await dataDirectory(t);
      rmSync(join(directory, file));
      mkdirSync(join(directory, file));
      const problem = await problemOf(() => loadConfig(directory));
      assert.equal(problem.code, 'node/machine');
      assert.ok(problem.message.includes(join(directory, file)), problem.message);
      assert.equal(problem.remedy, machineRemedies['EISDIR']);
    });
  }

  for (const file of ['keys/validator.used.json', 'keys/validator.used.json.new']) {
    test(`${file} is a directory`, async (t) => {
      const directory = await dataDirectory(t);
      mkdirSync(join(directory, file));
      const problem = await problemOf(() => startOf(directory));
      assert.equal(problem.code, 'node/machine');
      assert.ok(problem.message.includes(join(directory, file)), problem.message);
    });
  }

  test('a path goes through a file, round in a circle, or has too long a name', async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'file'), '');
    symlinkSync('circle', join(directory, 'circle'));
    const long = join(directory, 'x'.repeat(300));
    for (const [path, code] of [
      [join(directory, 'file'), 'ENOTDIR'],
      [join(directory, 'circle'), 'ELOOP'],
      [long, 'ENAMETOOLONG'],
    ] as const) {
      assert.equal((await problemOf(() => loadConfig(path))).remedy, machineRemedies[code]);
    }
    const circle = await problemOf(() => openLevelStore(join(directory, 'circle')));
    assert.equal(circle.code, 'storage/access');
    assert.equal(circle.remedy, machineRemedies['ELOOP']);
    const tooLong = await problemOf(() => openLevelStore(long));
    assert.equal(tooLong.code, 'storage/access');
    assert.equal(tooLong.remedy, machineRemedies['ENAMETOOLONG']);
  });

  test('what the machine refuses says nothing of what is in the database: it is not called damaged', async (t) => {
    const directory = join(temporaryDirectory(t), 'db');
    await (await openLevelStore(directory)).close();
    const level = join(directory, 'level');
    const manifest = readdirSync(level).find((name) => name.startsWith('MANIFEST')) ?? '';
    renameSync(join(level, manifest), join(level, 'kept'));
    mkdirSync(join(level, manifest));
    const refused = await problemOf(() => openLevelStore(directory));
    assert.equal(refused.code, 'storage/access');
    assert.equal(refused.remedy, machineRemedies['EISDIR']);
    rmSync(join(level, manifest), { recursive: true });
    const missing = await problemOf(() => openLevelStore(directory));
    assert.equal(missing.code, 'storage/damaged', 'a file that is gone is damage');
    renameSync(join(level, 'kept'), join(level, manifest));
    rmSync(join(directory, 'quorate-store.json'));
    mkdirSync(join(directory, 'quorate-store.json'));
    const marker = await problemOf(() => openLevelStore(directory));
    assert.match(marker.message, /quorate-store\.json/);
    assert.equal(marker.remedy, machineRemedies['EISDIR']);
  });

  test(
    'a current directory that was removed is told as such',
    { skip: process.platform === 'win32' },
    (t) => {
      const gone = join(temporaryDirectory(t), 'gone');
      mkdirSync(gone);
      const genesis = join(root, 'genesis/single.json');
      const init = 'cd "$1" && rmdir "$1" && "$0" init --observer --data ./node --genesis "$2" 2>&1';
      const { status, stdout } = spawnSync('/bin/sh', ['-c', init, launcher, gone, genesis], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      });
      assert.equal(status, 1);
      assert.match(stdout, /the current directory cannot be used: ENOENT[^]*change to another one/);
    },
  );

  // /dev/full is of Linux and the BSDs.
  test(
    'a full disk below the log or the output ends no node, and no command with a stack',
    { skip: process.platform === 'win32' },
    () => {
      const log = `import { jsonLog } from '${join(root, 'src/node/process/log.ts')}';
      const log = jsonLog('info', 'a');
      for (let line = 0; line < 2_000; line += 1) log.info('x'.repeat(200));
      console.log('still here');`;
      const went = spawnSync(
        '/bin/sh',
        ['-c', '"$0" --input-type=module-typescript -e "$1" 2>/dev/full', process.execPath, log],
        { encoding: 'utf8' },
      );
      assert.equal(went.stdout, 'still here\n', went.stderr);
      const list = spawnSync('/bin/sh', ['-c', '"$0" keys list --keys /nonexistent >/dev/full', launcher], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      });
      assert.equal(list.status, 1);
      assert.match(list.stderr, /^error standard output cannot be written: ENOSPC/);
      assert.doesNotMatch(list.stderr, /\n +at /);
    },
  );
});
