import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { clientName } from '../../src/api/client-name.ts';
import { LoopShare } from '../../src/api/loop-share.ts';
import { listPieces, pacedJson } from '../../src/api/paced-json.ts';
import { Rotation } from '../../src/api/rotation.ts';

/** A loop that turns when a test says so, with a clock that only pieces move. */
class Loop {
  now = 0;
  turns = 0;
  #next: (() => void)[] = [];
  readonly timers: number[] = [];
  #due: (() => void)[] = [];
  readonly share: LoopShare;

  constructor(restPerWork = 1) {
    this.share = new LoopShare(restPerWork, {
      nextTurn: (call) => void this.#next.push(call),
      after: (ms, call) => {
        this.timers.push(ms);
        this.#due.push(call);
      },
      nowMs: () => this.now,
    });
  }

  /** One turn; timers that a rest set are due in the next one. */
  turn(): void {
    this.turns += 1;
    const timers = this.#due;
    this.#due = [];
    if (timers.length > 0) this.now += this.timers.at(-1) ?? 0;
    for (const call of timers) call();
    const calls = this.#next;
    this.#next = [];
    for (const call of calls) call();
  }
}

describe('the API’s share of the loop', () => {
  test('is one piece in a turn, however many wait', () => {
    const loop = new Loop();
    const done: number[] = [];
    for (let i = 0; i < 5; i++) loop.share.add('a', () => void done.push(loop.turns));
    for (let i = 0; i < 8; i++) loop.turn();
    assert.deepEqual(done, [1, 2, 3, 4, 5]);
  });

  test('goes to clients in turns', () => {
    const loop = new Loop();
    const done: string[] = [];
    for (let i = 0; i < 3; i++) loop.share.add('many', () => void done.push('many'));
    loop.share.add('one', () => void done.push('one'));
    for (let i = 0; i < 4; i++) loop.turn();
    assert.deepEqual(done, ['many', 'one', 'many', 'many']);
  });

  test('goes to what comes first as far as that fits into a millisecond, and then to one piece of the others', () => {
    const loop = new Loop();
    const done: string[] = [];
    for (let i = 0; i < 3; i++) loop.share.add('a', () => void done.push(`other ${loop.turns}`));
    for (let i = 0; i < 5; i++) {
      const small = (): void => {
        loop.now += 0.5;
        done.push(`first ${loop.turns}`);
      };
      loop.share.addFirst('a', small);
    }
    for (let i = 0; i < 8; i++) loop.turn();
    assert.deepEqual(
      done.map((what) => what.split(' ')[0]),
      ['first', 'first', 'other', 'first', 'first', 'other', 'first', 'other'],
    );
  });

  test('is half of the time at most: after long pieces it rests as long as they took', () => {
    const loop = new Loop();
    const work = (ms: number) => () => void (loop.now += ms);
    for (const ms of [7, 0.4, 0.4, 0.4]) loop.share.add('a', work(ms));
    for (let i = 0; i < 8; i++) loop.turn();
    assert.deepEqual(
      loop.timers.map((ms) => Math.round(ms * 10) / 10),
      [7],
      'small pieces are put together before it rests',
    );
    loop.share.add('a', work(1));
    loop.share.add('a', work(1));
    for (let i = 0; i < 4; i++) loop.turn();
    assert.equal(loop.timers.length, 3, 'what came to rest with a debt pays it first');
  });

  test('is less where a longer rest is asked for', () => {
    const loop = new Loop(3);
    for (const ms of [2, 2]) loop.share.add('a', () => void (loop.now += ms));
    for (let i = 0; i < 4; i++) loop.turn();
    assert.deepEqual(loop.timers, [6]);
  });

  test('does not rest for the time in which its process was stopped', () => {
    const loop = new Loop(3);
    for (const ms of [60_000, 1]) loop.share.add('a', () => void (loop.now += ms));
    for (let i = 0; i < 4; i++) loop.turn();
    assert.deepEqual(loop.timers, [3 * limits.pieceCountedMs]);
  });

  test('owes nothing for work that is long past', () => {
    const loop = new Loop();
    loop.share.add('a', () => void (loop.now += 5));
    loop.turn();
    loop.now += 5;
    let done = false;
    loop.share.add('a', () => void (done = true));
    loop.turn();
    assert.ok(done);
    assert.deepEqual(loop.timers, []);
  });
});

test('a rotation gives each lane its turn, passes over those that may not, and forgets what was taken out', () => {
  const rotation = new Rotation<number>();
  for (const [lane, item] of [
    ['a', 1],
    ['a', 2],
    ['b', 3],
    ['c', 4],
  ] as const)
    rotation.push(lane, item);
  rotation.remove('c', 4);
  rotation.remove('c', 4);
  assert.equal(
    rotation.take((lane) => lane !== 'a'),
    3,
  );
  assert.deepEqual([rotation.take(), rotation.take(), rotation.take()], [1, 2, undefined]);
  assert.ok(rotation.isEmpty);
});

test('a client is an IPv4 address, or the half of an IPv6 address that one subscriber has', () => {
  assert.equal(clientName('::ffff:192.0.2.7'), clientName('192.0.2.7'));
  assert.notEqual(clientName('192.0.2.7'), clientName('192.0.2.8'));
  assert.equal(clientName('2001:db8:1:2:3:4:5:6'), clientName('2001:db8:1:2::9'));
  assert.notEqual(clientName('2001:db8:1:2::9'), clientName('2001:db8:1:3::9'));
  assert.equal(clientName('fe80::1%eth0'), clientName('fe80::2'));
  assert.equal(clientName('2001:db8::1'), clientName('2001:db8:0:0:1::'));
  assert.equal(clientName(undefined), clientName(''));
});

test('JSON in pieces is the same as in one, and each piece of a list waits for its turn', async () => {
  const items = Array.from({ length: 10 }, (_, i) => ({ i }));
  let turns = 0;
  const pace = async (): Promise<void> => void (turns += 1);
  const present = ({ i }: { i: number }) => ({ n: i * 2 });
  const lists = { some: listPieces(items, present, 4), none: listPieces([], present, 4) };
  let text = '';
  for await (const piece of pacedJson({ a: 1, b: 'x' }, lists, pace)) text += piece;
  assert.deepEqual(JSON.parse(text), { a: 1, b: 'x', some: items.map(present), none: [] });
  assert.equal(turns, 3);
});

test('a piece of a list ends when it is long, however few items are in it', () => {
  const long = 'x'.repeat(limits.httpPieceCharacters);
  const half = 'y'.repeat(limits.httpPieceCharacters / 2);
  const items = [long, long, half, half, 'z', half];
  const pieces = [...listPieces(items, (item) => item, 64)];
  assert.deepEqual(JSON.parse(`[${pieces.join(',')}]`), items);
  assert.deepEqual(
    pieces.map((piece) => (JSON.parse(`[${piece}]`) as string[]).map(([first]) => first).join('')),
    ['x', 'x', 'yy', 'zy'],
  );
});
