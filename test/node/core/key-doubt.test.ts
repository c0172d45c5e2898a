import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doubtKey } from '../../../src/node/core/key-doubt.ts';
import { silentLog } from '../../../src/node/process/log.ts';

const traceOf = (again: boolean) =>
  ({ type: 'trace', event: 'key-used-elsewhere', data: { view: 3, height: 9, again } }) as const;

test('a vote of its key that a node does not know is an error in its log, with what to do', () => {
  const lines: { message: string; details: object | undefined }[] = [];
  doubtKey({ ...silentLog, error: (message, details) => lines.push({ message, details }) }, traceOf(false));
  assert.equal(lines.length, 1);
  assert.match(
    JSON.stringify(lines[0]?.details),
    /"height":9.*put back from a copy.*quorate why.*find it and stop it/,
  );
});

test('one above all that it can have forgotten stops the node', () => {
  assert.throws(() => doubtKey(silentLog, traceOf(true)), { code: 'keys/used-elsewhere' });
});
