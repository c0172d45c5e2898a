import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import { Redial, type DialOutcome } from '../../src/network/redial.ts';

/** A world in which only the test moves the clock. */
class Bench {
  now = 0;
  readonly dials: number[] = [];
  readonly online = new Set<string>();
  outcome: () => DialOutcome = () => 'failed';
  readonly redial: Redial;

  constructor(t: TestContext, self = 'a', peer: string | null = 'b') {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    this.redial = new Redial([{ address: '/b', peer: peer ?? undefined }], {
      baseMs: 100,
      capMs: 1_000,
      refusedMs: 60_000,
      stableMs: 10_000,
      self,
      dial: () => {
        this.dials.push(this.now);
        return Promise.resolve(this.outcome());
      },
      isConnected: (peer) => this.online.has(peer),
      random: () => 1,
      now: () => this.now,
    });
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.now += 10;
      mock.timers.tick(10);
      // The dial's promise and what follows it.
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
    }
  }

  gaps(): number[] {
    return this.dials.slice(1).map((at, index) => at - (this.dials[index] as number));
  }
}

void test('failed dials are repeated at doubled distances up to the cap', async (t) => {
  const bench = new Bench(t);
  bench.redial.start();
  await bench.pass(5_000);
  assert.deepEqual(bench.gaps().slice(0, 6), [100, 200, 400, 800, 1_000, 1_000]);
  bench.redial.stop();
});

void test('a refused hello is left alone for long', async (t) => {
  const bench = new Bench(t);
  bench.outcome = () => ({ peer: 'b', refused: true });
  bench.redial.start();
  await bench.pass(70_000);
  assert.equal(bench.dials.length, 1);
  await bench.pass(10_000);
  assert.equal(bench.dials.length, 2);
  bench.redial.stop();
});

void test('a connected peer is not dialled, and a lost one is at once', async (t) => {
  const bench = new Bench(t);
  bench.outcome = () => {
    bench.online.add('b');
    bench.redial.connected('b');
    return { peer: 'b', refused: false };
  };
  bench.redial.start();
  for (let times = 1; times <= 6; times++) {
    await bench.pass(20_000);
    assert.equal(bench.dials.length, times);
    bench.online.delete('b');
    bench.redial.lost('b');
    await bench.pass(100);
    assert.equal(bench.dials.length, times + 1);
  }
  bench.redial.stop();
});

void test('whose peer is at a configured address is known from the first dial on, and it is not dialled again', async (t) => {
  const bench = new Bench(t, 'a', null);
  bench.outcome = () => {
    bench.online.add('b');
    return { peer: 'b', refused: false };
  };
  bench.redial.start();
  await bench.pass(20_000);
  assert.equal(bench.dials.length, 1);
  assert.ok(bench.redial.isConfigured('b'));
  assert.equal(bench.redial.peerAt('/b'), 'b');
  bench.online.delete('b');
  bench.redial.lost('b');
  await bench.pass(200);
  assert.equal(bench.dials.length, 2);
  bench.redial.stop();
});

void test('when a member comes by itself, an address whose peer is not known is dialled soon, however often one comes', async (t) => {
  const bench = new Bench(t, 'a', null);
  bench.redial.start();
  await bench.pass(8_000);
  const before = bench.dials.length;
  for (let times = 0; times < 5; times++) {
    bench.redial.arrived();
    await bench.pass(30);
  }
  assert.equal(bench.dials.length, before + 1);
  bench.outcome = () => {
    bench.online.add('b');
    return { peer: 'b', refused: false };
  };
  await bench.pass(2_000);
  const known = bench.dials.length;
  bench.redial.arrived();
  await bench.pass(2_000);
  assert.equal(bench.dials.length, known);
  bench.redial.stop();
});

void test('another key at the address is that of its peer from then on', async (t) => {
  const bench = new Bench(t, 'a', null);
  let there = 'b';
  bench.outcome = () => {
    bench.online.add(there);
    return { peer: there, refused: false };
  };
  bench.redial.start();
  await bench.pass(1_000);
  assert.equal(bench.redial.peerAt('/b'), 'b');
  there = 'c';
  bench.online.delete('b');
  bench.redial.lost('b');
  await bench.pass(20_000);
  assert.equal(bench.dials.length, 2);
  assert.equal(bench.redial.peerAt('/b'), 'c');
  bench.redial.stop();
});

void test('a peer that comes and goes quickly does not reset the back-off', async (t) => {
  const bench = new Bench(t);
  bench.outcome = () => {
    bench.redial.connected('b');
    setTimeout(() => bench.redial.lost('b'), 10);
    return { peer: 'b', refused: false };
  };
  bench.redial.start();
  await bench.pass(20_000);
  assert.ok(bench.dials.length < 30, `${bench.dials.length} dials in 20 s`);
  bench.redial.stop();
});

for (const [self, firstDialAt] of [
  ['a', 10],
  ['c', 150],
] as const) {
  void test(`of two nodes the one with the smaller id dials first: ${self} dials b after ${firstDialAt} ms`, async (t) => {
    const bench = new Bench(t, self);
    bench.redial.start();
    await bench.pass(160);
    assert.equal(bench.dials[0], firstDialAt);
    bench.redial.stop();
  });
}

void test('after stop there is no dial', async (t) => {
  const bench = new Bench(t);
  bench.redial.start();
  bench.redial.stop();
  bench.redial.lost('b');
  await bench.pass(5_000);
  assert.equal(bench.dials.length, 0);
});
