import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, joinFrames } from '../../src/network/frames.ts';

const seed = 4_004;
const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });

void test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }), (sent, cuts) => {
      const bytes = joinFrames(sent);
      const reader = new FrameReader(300);
      const received: Uint8Array[] = [];
      for (let at = 0, cut = 0; at < bytes.length; cut++) {
        const size = cuts[cut % cuts.length] as number;
        assert.equal(
          reader.read(bytes.subarray(at, at + size), (frame) => received.push(frame)),
          undefined,
        );
        at += size;
      }
      assert.deepEqual(
        received,
        sent.map((frame) => Uint8Array.from(frame)),
      );
    }),
    { seed },
  );
});

void test('a frame is a plain Uint8Array, so that a slice of it is a copy', () => {
  const seen: Uint8Array[] = [];
  new FrameReader(10).read(Buffer.from([0, 0, 0, 2, 7, 8]), (frame) => seen.push(frame));
  assert.equal(seen[0]?.constructor, Uint8Array);
});

void test('a length above the maximum is a problem at the header, before any of it is there', () => {
  const reader = new FrameReader(1_000);
  const received: Uint8Array[] = [];
  const problem = reader.read(Uint8Array.of(0, 0, 0, 1, 9, 0, 0, 3, 233), (frame) => received.push(frame));
  assert.equal(problem?.code, 'network/oversize');
  assert.deepEqual(problem.details, { length: 1_001, maxBytes: 1_000 });
  assert.deepEqual(received, [Uint8Array.of(9)]);
});

void test('a promised length costs nothing until the bytes come', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 100 }, () => new FrameReader(2 ** 30));
  for (const reader of readers) {
    reader.read(Uint8Array.of(0x3f, 0xff, 0xff, 0xff, 1, 2, 3), () => assert.fail('no frame is complete'));
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);
});
