import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { DialFailures, failureOf } from '../../src/network/dial-failures.ts';

function named(name: string, message: string, rest: { code?: string; cause?: unknown } = {}): Error {
  const { cause, code } = rest;
  const error = new Error(message, { cause });
  error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}

test('what the libraries below say of a dial becomes a kind with a remedy', () => {
  const cases: readonly (readonly [Error, string])[] = [
    [named('Error', 'connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' }), 'refused-port'],
    [named('Error', 'getaddrinfo ENOTFOUND nowhere', { code: 'ENOTFOUND' }), 'no-name'],
    [named('Error', 'connect EHOSTUNREACH 192.0.2.1:1', { code: 'EHOSTUNREACH' }), 'no-route'],
    [named('UnexpectedPeerError', 'Unexpected peer'), 'other-peer'],
    [named('EncryptionFailedError', 'socket hang up'), 'closed'],
    [named('TimeoutError', 'The operation was aborted due to timeout'), 'timeout'],
    [named('StrangeError', 'something new'), 'other'],
    // As libp2p wraps those of several addresses, and of one.
    [new AggregateError([named('Error', 'x', { code: 'EHOSTUNREACH' })], 'all failed'), 'no-route'],
    [named('DialError', 'failed', { cause: named('Error', 'x', { code: 'ECONNREFUSED' }) }), 'refused-port'],
  ];
  for (const [error, kind] of cases) {
    const failure = failureOf(error);
    assert.equal(failure.kind, kind, error.message);
    assert.ok(failure.remedy.length > 10);
  }
});

function setUp() {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (message: string, details?: object): void =>
      void lines.push(`${level} ${message} ${String(Object.values(details ?? {})[1]).slice(0, 30)}`);
  return {
    lines,
    failures: new DialFailures({ debug: note('debug'), info: note('info'), warn: note('warn') }),
  };
}

test('the first failure of a peer and each new kind is a warning, the same again is not', () => {
  const { lines, failures } = setUp();
  const refused = named('Error', 'connect ECONNREFUSED', { code: 'ECONNREFUSED' });
  const silent = named('TimeoutError', 'The operation was aborted due to timeout');
  failures.failed('/ip4/1/tcp/1', refused);
  failures.failed('/ip4/1/tcp/1', refused);
  failures.failed('/ip4/1/tcp/1', silent);
  failures.failed('/ip4/1/tcp/1', silent);
  failures.failed('/ip4/2/tcp/1', silent);
  assert.deepEqual(
    lines.map((line) => line.split(' ')[0]),
    ['warn', 'debug', 'warn', 'debug', 'warn'],
  );
  assert.deepEqual(
    failures.list().map(({ address }) => address),
    ['/ip4/1/tcp/1', '/ip4/2/tcp/1'],
  );
  assert.match(failures.list()[0]?.why ?? '', /does not answer/);
  failures.reached((address) => address === '/ip4/1/tcp/1');
  assert.equal(failures.list().length, 1);
  failures.failed('/ip4/1/tcp/1', silent);
  assert.equal(lines.at(-1)?.split(' ')[0], 'warn', 'after it was reached it is news again');
});

test('a peer that was reached and refused is listed with what was said', () => {
  const { failures } = setUp();
  failures.refused(
    '/ip4/1/tcp/1',
    new Problem('network/other-chain', 'it is on another chain', { remedy: 'Use the same genesis file.' }),
  );
  assert.deepEqual(failures.list(), [
    { address: '/ip4/1/tcp/1', why: 'it is on another chain', remedy: 'Use the same genesis file.' },
  ]);
});
