import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from '../../src/network/frames.ts';
import { queueRoom, SendQueue } from '../../src/network/send-queue.ts';

const bounds = { maxBytes: 200, maxUrgentBytes: 60 };
const HEADER = 4;

/** One with room enough beside it. */
function queueOf(own: { readonly maxBytes: number; readonly maxUrgentBytes: number }): SendQueue {
  return new SendQueue({ ...own, room: queueRoom(1_000_000) });
}

type Step = { readonly push: Uint8Array; readonly urgent: boolean } | { readonly take: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    push: fc.uint8Array({ minLength: 1, maxLength: 90 }).map((bytes) => Uint8Array.from(bytes)),
    urgent: fc.boolean(),
  }),
  fc.record({ take: fc.integer({ min: 1, max: 250 }) }),
);
const sizeOf = (frames: readonly Uint8Array[]): number =>
  frames.reduce((sum, frame) => sum + frame.length + HEADER, 0);

void test('each lane keeps the newest frames that fit, in order, the urgent ones leave first, and the others are counted', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = queueOf(bounds);
      let urgent: Uint8Array[] = [];
      let others: Uint8Array[] = [];
      let dropped = 0;
      for (const action of steps) {
        if ('push' in action) {
          assert.equal(queue.push(action.push, action.urgent), true);
          const isUrgent = action.urgent && sizeOf([action.push]) <= bounds.maxUrgentBytes;
          (isUrgent ? urgent : others).push(action.push);
          for (; sizeOf(urgent) > bounds.maxUrgentBytes; dropped++) urgent = urgent.slice(1);
          for (; sizeOf(others) > bounds.maxBytes; dropped++) others = others.slice(1);
        } else {
          const taken = cut(queue.takeBatch(action.take));
          const rest = taken.length - urgent.length;
          assert.deepEqual(taken, [...urgent, ...others.slice(0, rest)]);
          assert.ok(rest > 0 || others.length === 0, 'urgent ones hold nobody up');
          assert.ok(rest <= 1 || sizeOf(taken) <= action.take);
          urgent = [];
          others = others.slice(rest);
        }
        assert.equal(queue.bytes, sizeOf([...urgent, ...others]));
        assert.equal(queue.dropped, dropped);
        assert.equal(queue.isEmpty, urgent.length + others.length === 0);
      }
      queue.clear();
      assert.deepEqual([queue.bytes, queue.isEmpty], [0, true]);
      assert.equal(queue.dropped, dropped + urgent.length + others.length);
    }),
    { seed: 77, numRuns: 500 },
  );
});

void test('a heartbeat leaves before all that filled the queue, and costs none of it its place', () => {
  const queue = queueOf({ maxBytes: 10 * (1_000 + HEADER), maxUrgentBytes: 100 });
  for (let index = 0; index < 10; index++) queue.push(new Uint8Array(1_000).fill(index));
  queue.push(Uint8Array.of(100), true);
  queue.push(Uint8Array.of(101), true);
  const first = cut(queue.takeBatch(2_500)).map((frame) => frame[0]);
  assert.deepEqual(first, [100, 101, 0, 1]);
  assert.equal(queue.dropped, 0);
});

void test('what is too large to be urgent waits its turn', () => {
  const queue = queueOf({ maxBytes: 1_000, maxUrgentBytes: 20 });
  queue.push(Uint8Array.of(1));
  assert.equal(queue.push(new Uint8Array(17).fill(2), true), true);
  assert.deepEqual(
    cut(queue.takeBatch(1_000)).map((frame) => frame[0]),
    [1, 2],
  );
});

void test('a frame larger than the queue is refused and drops nothing else', () => {
  const queue = queueOf({ maxBytes: 100, maxUrgentBytes: 50 });
  queue.push(Uint8Array.of(1));
  for (const urgent of [false, true]) assert.equal(queue.push(new Uint8Array(97), urgent), false);
  assert.equal(queue.dropped, 2);
  assert.deepEqual(cut(queue.takeBatch(1_000)), [Uint8Array.of(1)]);
});

void test('all queues have one room: when it is full the longest loses its oldest frames, and the others nothing', () => {
  const room = queueRoom(1_000);
  const own = { maxBytes: 900, maxUrgentBytes: 90, room };
  const [deaf, short] = [new SendQueue(own), new SendQueue(own)];
  for (let index = 0; index < 8; index++) deaf.push(new Uint8Array(96).fill(index));
  deaf.push(Uint8Array.of(100), true);
  for (let index = 0; index < 4; index++) short.push(new Uint8Array(96).fill(index));
  assert.ok(room.total <= 1_000 && room.total === deaf.bytes + short.bytes);
  assert.deepEqual([deaf.dropped, short.dropped], [3, 0]);
  const first = cut(deaf.takeBatch(10_000)).map((frame) => frame[0]);
  assert.deepEqual(first, [100, 3, 4, 5, 6, 7], 'the urgent one is still there');
  short.clear();
  assert.equal(room.total, 0);
});

void test('hundreds of thousands of frames pass in linear time', () => {
  const queue = queueOf({ maxBytes: 10_000, maxUrgentBytes: 0 });
  for (let index = 0; index < 300_000; index++) {
    queue.push(Uint8Array.of(index & 0xff));
    if (index % 3 === 0) queue.takeBatch(5);
  }
  assert.equal(queue.bytes, 10_000);
});

function cut(batch: Uint8Array | undefined): Uint8Array[] {
  const frames: Uint8Array[] = [];
  if (batch !== undefined) new FrameReader(1_000).read(batch, (frame) => frames.push(frame));
  return frames;
}
