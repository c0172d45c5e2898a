import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/base/codec.ts';
import { limits } from '../../src/base/limits.ts';
import { Problem } from '../../src/base/problem.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { PeerId, RequestProtocol } from '../../src/network/port.ts';
import { blocksRequestCodec, blocksResponseCodec } from '../../src/node/peers/wire.ts';
import { AskingChecker } from '../../src/simulator/checkers/asking-checker.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const wanted = {
  blocks: encode(blocksRequestCodec, { from: toHeight(5), count: 1 }),
  candidate: new Uint8Array(32),
};
const nothing = encode(blocksResponseCodec, {
  blocks: [],
  headers: [],
  certificate: undefined,
  snapshot: undefined,
});
const lost = new Problem('network/lost', 'gone', { remedy: 'Ask another.' });
const late = new Problem('network/timeout', 'late', { remedy: 'Ask another.' });
/** Longer than it takes until it was everybody's turn. */
const longMs = 10 * limits.fetchHedgeMs;

/** A node at height 4 that asks by hand, and what its checker says of it. */
class World {
  readonly time = new VirtualTime();
  readonly having = new Set<PeerId>();
  readonly #under = new Map<PeerId, (response: Uint8Array | Problem) => void>();
  height = 4;
  stoodStillMs = 0;
  found: string | undefined;
  readonly #request: (peer: PeerId, protocol: RequestProtocol, bytes: Uint8Array) => void;

  constructor() {
    const clock = this.time.clock();
    const checker = new AskingChecker({
      node: 2,
      now: () => clock.monotonicMs() + this.stoodStillMs,
      after: (delayMs, call) => void clock.after(delayMs, call),
      peers: () => ['a', 'b', 'c'],
      height: () => this.height,
      has: (peer) => this.having.has(peer),
      check: (look) => {
        try {
          look();
        } catch (breach) {
          this.found ??= String(breach);
        }
      },
    });
    const watched = checker.watch((peer, _protocol, _bytes, done) => void this.#under.set(peer, done));
    this.#request = (peer, protocol, bytes) => watched(peer, protocol, bytes, () => undefined);
  }

  ask(peer: PeerId, protocol: keyof typeof wanted = 'blocks'): void {
    this.#request(peer, protocol, wanted[protocol]);
  }

  answer(peer: PeerId, response: Uint8Array | Problem): void {
    this.#under.get(peer)?.(response);
  }

  afterLong(): string | undefined {
    this.time.run(longMs);
    return this.found;
  }
}

test('who waits for one that does not answer must ask another that has it, in its turn', () => {
  const world = new World();
  world.having.add('b');
  world.ask('a');
  world.time.run(limits.fetchHedgeMs);
  assert.equal(world.found, undefined, 'there is time');
  assert.match(world.afterLong() ?? '', /node 2 waits for a, whom it asked for blocks, and does not ask b/);
});

test('also one that had it not when it was asked before', () => {
  const world = new World();
  world.ask('a');
  world.ask('b');
  world.answer('b', nothing);
  assert.equal(world.afterLong(), undefined, 'nobody has it');
  world.having.add('b');
  assert.match(world.afterLong() ?? '', /does not ask b/);
});

test('who stood still has its time after that', () => {
  const world = new World();
  world.having.add('b');
  world.ask('a');
  world.time.run(limits.fetchHedgeMs);
  world.stoodStillMs = longMs;
  world.time.run(2 * limits.fetchHedgeMs);
  assert.equal(world.found, undefined);
  assert.match(world.afterLong() ?? '', /does not ask b/);
});

test('who asks whoever has it owes nothing, and neither does who asks as many as it may', () => {
  for (const asked of [
    ['a', 'b'],
    ['a', 'c', 'c'],
  ]) {
    const world = new World();
    world.having.add('b');
    for (const peer of asked) world.ask(peer);
    assert.equal(world.afterLong(), undefined, asked.join());
  }
});

test('nothing is owed when it is here, when somebody gave it, when all have answered, or when a fetch ended', () => {
  const here = new World();
  const given = new World();
  const answered = new World();
  const ended = new World();
  for (const world of [here, answered]) world.ask('a');
  here.height = 5;
  for (const peer of ['a', 'c']) given.ask(peer, 'candidate');
  given.answer('c', Uint8Array.of(1));
  answered.ask('b');
  answered.answer('a', lost);
  answered.ask('a');
  answered.answer('b', nothing);
  ended.ask('a', 'candidate');
  ended.time.run(limits.fetchDeadlineMs);
  for (const world of [here, given, answered, ended]) {
    world.having.add('b');
    assert.equal(world.afterLong(), undefined);
  }
});

test('whoever was asked in vain before may be waited for longer: several that are late make sync patient', () => {
  const world = new World();
  world.ask('c');
  world.answer('c', late);
  world.having.add('b');
  world.ask('a');
  world.time.run(3 * 2 * limits.fetchHedgeMs + 200);
  assert.equal(world.found, undefined);
  assert.match(world.afterLong() ?? '', /does not ask b/);
});
