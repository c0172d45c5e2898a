import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { TokenBucket } from '../../src/base/token-bucket.ts';
import { unmetered } from '../../src/network/receiving.ts';
import { RequestClient } from '../../src/network/request-client.ts';

type LinkOf = ConstructorParameters<typeof RequestClient>[0]['linkOf'];

/** A client whose clock stands, and a link on which no stream ever opens; what it asked for is counted. */
function scene(burst: number): {
  client: RequestClient;
  opened: () => number;
  expected: () => number;
  answers: (Uint8Array | Problem)[];
} {
  let opened = 0;
  let expected = 0;
  const answers: (Uint8Array | Problem)[] = [];
  const link = {
    connection: { newStream: () => (opened++, new Promise(() => {})) },
    budget: { expect: (bytes: number) => void (expected += bytes) },
    requests: new TokenBucket({ perSecond: 1e-6, burst }, 0),
  } as unknown as ReturnType<LinkOf>;
  const client = new RequestClient({
    linkOf: () => link,
    meter: () => unmetered,
    nameOf: (protocol) => protocol,
    timeoutMs: 60_000,
    now: () => 0,
  });
  return { client, opened: () => opened, expected: () => expected, answers };
}

void test('no more requests start than the pace allows; the others wait, and end with the peer', async () => {
  const { client, opened, expected, answers } = scene(2);
  for (let count = 0; count < limits.requestsPerPeer; count++) {
    client.request('peer', 'blocks', Uint8Array.of(1), (answer) => answers.push(answer));
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(opened(), 2);
  assert.equal(
    expected(),
    2 * limits.responseBytes,
    'what is asked for is not held against the one who gives it',
  );
  client.fail('peer');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(opened(), 2);
  assert.ok(answers.every((answer) => answer instanceof Problem && answer.code === 'network/lost'));
  assert.equal(answers.length, limits.requestsPerPeer);
});
