import assert from 'node:assert/strict';
import { mkdir, open, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  machineFault,
  machineFaultIn,
  machineRemedies,
  machineRemedy,
} from '../../src/base/machine-fault.ts';
import { asMachineFault } from '../../src/node/process/as-machine-fault.ts';
import type { Problem } from '../../src/base/problem.ts';

async function faultOf(call: () => Promise<unknown>): Promise<Problem> {
  const error = await call().then(
    () => assert.fail('it was refused'),
    (refusal: unknown) => refusal,
  );
  const problem = machineFault(error, '/fallback');
  assert.ok(problem !== undefined);
  return problem;
}

test('what the system refuses is a problem that names the file and what to do', async () => {
  const missing = await faultOf(() => readFile('/nonexistent/file'));
  assert.equal(missing.code, 'node/machine');
  assert.match(missing.message, /^\/nonexistent\/file cannot be used: ENOENT/);
  assert.match(missing.remedy, /Check the path/);
  assert.equal((await faultOf(() => mkdir('/dev/null/x'))).details['code'], 'ENOTDIR');
  assert.equal((await faultOf(() => open('/', 'w'))).details['path'], '/');
});

test('every code has words of its own or says what to look up, and one without a path takes the caller’s', () => {
  for (const code of ['EACCES', 'EROFS', 'EMFILE', 'ENOSPC', 'EIO', 'ESOMETHING']) {
    const error = Object.assign(new Error(code), { code, syscall: 'write', errno: -1 });
    const problem = machineFault(error, '/data/keys/x.json');
    assert.match(
      problem?.message ?? '',
      new RegExp(`^/data/keys/x.json cannot be used: ${code} \\(write\\)$`),
    );
    assert.ok((problem?.remedy ?? '').length > 20);
  }
});

test('a fault of this program is not taken for one of the machine', async () => {
  for (const error of [
    new TypeError('x'),
    new RangeError('y'),
    'text',
    null,
    Object.assign(new Error('z'), { code: 'ERR_X' }),
  ]) {
    assert.equal(machineFault(error), undefined);
  }
  await assert.rejects(
    asMachineFault('/x', () => Promise.reject(new TypeError('ours'))),
    TypeError,
  );
});

test('a library that hands on no more than the words of the system is understood', () => {
  const said: readonly (readonly [string, string | undefined])[] = [
    ['IO error: /data/db/level/000005.ldb: Too many open files', 'EMFILE'],
    ['IO error: /data/db/level/000005.ldb: Too many open files in system', 'ENFILE'],
    ['IO error: /data/db/level/000003.log: No space left on device', 'ENOSPC'],
    ['IO error: /data/db/level/LOCK: Permission denied', 'EACCES'],
    ['IO error: /data/db/level/LOCK: Read-only file system', 'EROFS'],
    ['IO error: lock /data/db/level/LOCK: No locks available', 'ENOLCK'],
    ['IO error: lock /data/db/level/LOCK: Resource temporarily unavailable', undefined],
    ['IO error: /data/db/level/000005.ldb: Input/output error', 'EIO'],
    ['Corruption: block checksum mismatch', undefined],
    ['IO error: /data/db/level/MANIFEST-000002: No such file or directory', undefined],
  ];
  for (const [message, code] of said) assert.equal(machineFaultIn(message), code, message);
  for (const [, code] of said)
    if (code !== undefined) assert.ok(machineRemedy(code) === machineRemedies[code]);
});

test('a thread that had no room is a fault of the machine', () => {
  const error = Object.assign(new Error('Worker terminated due to reaching memory limit'), {
    code: 'ERR_WORKER_OUT_OF_MEMORY',
  });
  assert.equal(machineFault(error)?.details['code'], 'ENOMEM');
  const unstarted = Object.assign(new Error('Worker initialization failure: EMFILE'), {
    code: 'ERR_WORKER_INIT_FAILED',
  });
  assert.equal(machineFault(unstarted)?.remedy, machineRemedies['EMFILE']);
  const refused = Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
  assert.equal(machineFault(refused)?.remedy, machineRemedies['EAGAIN']);
  assert.equal(machineFault(new Error('EAGAIN')), undefined, 'elsewhere it may be anything');
  // What broke because of it is not to blame.
  const broken = new Error('broken invariant: the thread lives', { cause: unstarted });
  assert.equal(machineFault(broken)?.details['code'], 'EMFILE');
  assert.equal(machineFault(new Error('broken invariant', { cause: new TypeError('x') })), undefined);
});
