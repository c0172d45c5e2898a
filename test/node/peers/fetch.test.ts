import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { fetchFrom } from '../../../src/node/peers/fetch.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const no = new Problem('network/refused', 'no', { remedy: 'Ask another.' });

/** Asks peers, each of which answers with its own number after so long, or refuses (null), or never. */
function fetch(answers: Readonly<Record<string, readonly [afterMs: number, answer: number | null]>>) {
  const time = new VirtualTime();
  const asked: string[] = [];
  const found: boolean[] = [];
  const cancel = fetchFrom(
    {
      clock: time.clock(),
      network: {
        request: (peer, _protocol, _bytes, done) => {
          asked.push(`${peer} at ${time.now}`);
          const [afterMs, answer] = answers[peer] ?? assert.fail(peer);
          if (afterMs === Infinity) return;
          time.after(afterMs, () => done(answer === null ? no : Uint8Array.of(answer)));
        },
      },
    },
    {
      protocol: 'candidate',
      request: new Uint8Array(),
      peers: () => Object.keys(answers),
      accept: (response) => response[0] === 1,
      done: (result) => found.push(result),
    },
  );
  return { time, asked, found, cancel };
}

test('peers are asked one after the other until one has it, and the slow get company', () => {
  const { time, asked, found } = fetch({ a: [1, null], b: [1, 0], c: [Infinity, 0], d: [1, 1], e: [1, 1] });
  time.run(2 * limits.fetchHedgeMs);
  assert.deepEqual(asked, ['a at 0', 'b at 1', 'c at 2', `d at ${2 + limits.fetchHedgeMs}`]);
  assert.deepEqual(found, [true]);
});

test('as long as somebody has not answered, that the others have it not is no end', () => {
  const late = 2 * limits.fetchHedgeMs;
  const { time, found } = fetch({ slow: [late, 1], quick: [1, null] });
  time.run(limits.fetchHedgeMs + 2);
  assert.deepEqual(found, []);
  time.run(late);
  assert.deepEqual(found, [true]);
});

test('while somebody does not answer, those who had it not are asked again, and who comes is asked too', () => {
  const answers: Record<string, readonly [number, number | null]> = {
    silent: [Infinity, 0],
    a: [1, null],
    b: [1, null],
  };
  const again = fetch(answers);
  again.time.run(limits.fetchHedgeMs + 5);
  answers['b'] = [1, 1];
  again.time.run(2 * limits.fetchHedgeMs);
  assert.deepEqual(again.found, [true]);
  assert.deepEqual(
    again.asked.map((each) => each.split(' ')[0]),
    ['silent', 'a', 'b', 'a', 'b'],
  );
  const later = { ...answers, b: [1, null] as const };
  const joined = fetch(later);
  joined.time.run(limits.fetchHedgeMs + 5);
  Object.assign(later, { c: [1, 1] });
  joined.time.run(limits.fetchHedgeMs);
  assert.deepEqual(joined.found, [true]);
});

test('it ends when nobody has it, when time is up, and silently when it is given up', () => {
  const nobody = fetch({ a: [1, null], b: [1, 0] });
  nobody.time.run(2);
  assert.deepEqual(nobody.found, [false]);
  const silent = fetch({ a: [Infinity, 0] });
  silent.time.run(limits.fetchDeadlineMs - 1);
  assert.deepEqual(silent.found, []);
  silent.time.run(1);
  assert.deepEqual(silent.found, [false]);
  const givenUp = fetch({ a: [5, 1] });
  givenUp.cancel();
  givenUp.time.run(limits.fetchDeadlineMs);
  assert.deepEqual(givenUp.found, []);
  assert.deepEqual(fetch({}).found, [false], 'at once without anybody to ask');
});

test('what comes after the end is not looked at, and nobody else is asked for it', () => {
  const late = limits.fetchHedgeMs + 5;
  const { time, asked, found, cancel } = fetch({ a: [late, null], b: [late, 1], c: [1, 1], d: [1, 1] });
  time.run(1);
  cancel();
  time.run(2 * late);
  assert.deepEqual([asked, found], [['a at 0'], []]);
});
