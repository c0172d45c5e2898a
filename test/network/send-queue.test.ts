import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from '../../src/network/frames.ts';
import { SendQueue } from '../../src/network/send-queue.ts';

const MAX_BYTES = 200;
const HEADER = 4;

type Step = { readonly push: Uint8Array } | { readonly take: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ push: fc.uint8Array({ minLength: 1, maxLength: 90 }) }),
  fc.record({ take: fc.integer({ min: 1, max: 250 }) }),
);

void test('the queue keeps the newest frames that fit, in order, and counts the others', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new SendQueue(MAX_BYTES);
      let model: Uint8Array[] = [];
      let dropped = 0;
      const bytes = (): number => model.reduce((sum, frame) => sum + frame.length + HEADER, 0);
      for (const action of steps) {
        if ('push' in action) {
          assert.equal(queue.push(action.push), true);
          model.push(action.push);
          while (bytes() > MAX_BYTES) {
            model = model.slice(1);
            dropped++;
          }
        } else {
          const taken = cut(queue.takeBatch(action.take));
          assert.deepEqual(
            taken,
            model.slice(0, taken.length).map((frame) => Uint8Array.from(frame)),
          );
          assert.equal(taken.length > 0, model.length > 0);
          const size = taken.reduce((sum, frame) => sum + frame.length + HEADER, 0);
          assert.ok(taken.length <= 1 || size <= action.take);
          model = model.slice(taken.length);
        }
        assert.equal(queue.bytes, bytes());
        assert.equal(queue.dropped, dropped);
        assert.equal(queue.isEmpty, model.length === 0);
      }
    }),
    { seed: 77, numRuns: 300 },
  );
});

void test('a frame larger than the queue is refused and drops nothing else', () => {
  const queue = new SendQueue(100);
  queue.push(Uint8Array.of(1));
  assert.equal(queue.push(new Uint8Array(97)), false);
  assert.equal(queue.dropped, 1);
  assert.deepEqual(cut(queue.takeBatch(1_000)), [Uint8Array.of(1)]);
});

void test('hundreds of thousands of frames pass in linear time', () => {
  const queue = new SendQueue(10_000);
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
