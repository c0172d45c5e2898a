import assert from 'node:assert/strict';
import { mkdir, open, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { machineFault } from '../../src/base/machine-fault.ts';
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
