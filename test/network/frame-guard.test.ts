import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { concat } from '../../src/base/bytes.ts';
import { Problem } from '../../src/base/problem.ts';
import { FrameGuard, type MuxerHeader } from '../../src/network/frame-guard.ts';
import { yamux, yamuxHeader, type FrameHeader } from './bare-peer.ts';

interface Read {
  readonly headers: MuxerHeader[];
  readonly frames: Uint8Array[];
  readonly problem: Problem | undefined;
}

/** What comes out for bytes that come in pieces of these sizes, the last again and again. */
function read(bytes: Uint8Array, sizes: readonly number[], maxLength = 1_000): Read {
  const headers: MuxerHeader[] = [];
  const frames: Uint8Array[] = [];
  const guard = new FrameGuard({
    onHeader: (header) => {
      headers.push(header);
      return header.type === yamux.data && header.length > maxLength ? tooLong() : undefined;
    },
    onFrames: (some) => frames.push(some),
  });
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
    const problem = guard.read(bytes.subarray(at, at + size));
    if (problem !== undefined) return { headers, frames, problem };
    at += size;
  }
  return { headers, frames, problem: undefined };
}

const tooLong = (): Problem => new Problem('network/muxer', 'too long', { remedy: 'none' });

function frame(header: FrameHeader, payload = new Uint8Array(0)): Uint8Array {
  return concat(yamuxHeader({ length: payload.length, ...header }), payload);
}

const someFrame = fc.oneof(
  fc
    .record({ stream: fc.integer({ min: 1, max: 9 }), payload: fc.uint8Array({ maxLength: 600 }) })
    .map(({ stream, payload }) => frame({ type: yamux.data, stream }, payload)),
  fc
    .integer({ min: 0, max: 0xffff_ffff })
    .map((length) => frame({ type: yamux.ping, flags: yamux.syn, length })),
  fc
    .integer({ min: 0, max: 0xffff_ffff })
    .map((length) => frame({ type: yamux.windowUpdate, stream: 3, length })),
);

void test('however the bytes are cut, the same frames come out, each once, whole and in order', () => {
  fc.assert(
    fc.property(
      fc.array(someFrame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
      (frames, sizes) => {
        const bytes = concat(...frames);
        const { headers, frames: out, problem } = read(bytes, sizes);
        assert.equal(problem, undefined);
        assert.equal(headers.length, frames.length);
        assert.deepEqual(concat(...out), bytes);
        const ends = new Set(ends0(frames));
        let at = 0;
        for (const some of out)
          assert.ok(ends.has((at += some.length)), 'what is handed on ends with a frame');
      },
    ),
    { seed: 20261128 },
  );
});

function ends0(frames: readonly Uint8Array[]): number[] {
  let at = 0;
  return frames.map(({ length }) => (at += length));
}

void test('a frame that is too long is refused at its header, before a byte of it', () => {
  const good = frame({ type: yamux.data, stream: 1 }, new Uint8Array(1_000));
  const header = yamuxHeader({ type: yamux.data, stream: 1, length: 0xffff_ffff });
  for (const size of [1, 7, 12, 5_000]) {
    const { frames, problem } = read(concat(good, header), [size]);
    assert.ok(problem instanceof Problem);
    // Cut large, the good one is in the same piece, and the connection ends with it.
    assert.equal(frames.length, size === 5_000 ? 0 : 1);
  }
});

void test('the number of a ping or of a window is no length', () => {
  const bytes = concat(
    frame({ type: yamux.ping, flags: yamux.syn, length: 0xffff_ffff }),
    frame({ type: yamux.windowUpdate, stream: 1, length: 0xffff_ffff }),
    frame({ type: yamux.goAway, length: 1 }),
  );
  assert.deepEqual(
    read(bytes, [5]).headers.map(({ type, length }) => [type, length]),
    [
      [yamux.ping, 0xffff_ffff],
      [yamux.windowUpdate, 0xffff_ffff],
      [yamux.goAway, 1],
    ],
  );
});

void test('another version and an unknown kind are refused', () => {
  const version = yamuxHeader({ type: yamux.ping });
  version[0] = 1;
  for (const bytes of [version, yamuxHeader({ type: 4 }), yamuxHeader({ type: 255 })]) {
    const { problem } = read(bytes, [12]);
    assert.ok(problem instanceof Problem && problem.code === 'network/muxer');
  }
});
