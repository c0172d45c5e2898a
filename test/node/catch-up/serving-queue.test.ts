import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { ServingQueue } from '../../../src/node/catch-up/serving-queue.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const MiB = 1024 * 1024;

/** Members are named `member-…`, strangers by block and identity. Each answer has a size, and takes a time. */
class World {
  readonly time = new VirtualTime();
  size = 3 * MiB;
  busyMs = 0;
  readonly served = new Map<string, number>();
  readonly answers: string[] = [];
  #spent = 0;
  readonly queue = new ServingQueue({
    serving: {
      serve: () => {
        this.#spent += this.busyMs;
        return new Uint8Array(this.size);
      },
    },
    standingOf: (peer) =>
      peer.startsWith('member-')
        ? { type: 'member', key: peer }
        : { type: 'stranger', block: peer.split('/')[0] ?? '' },
    clock: {
      monotonicMs: () => this.time.now + this.#spent,
      after: (ms, call) => this.time.after(ms, call),
    },
  });

  ask(peer: string): void {
    this.queue.answer(peer, 'blocks', new Uint8Array(44), (response) => {
      this.answers.push(`${peer} ${response === null ? 'refused' : 'answered'} at ${this.time.now}`);
      if (response !== null) this.served.set(peer, (this.served.get(peer) ?? 0) + response.length);
    });
  }

  /** Asks as one who has four requests on the way at any time, for so long. */
  flood(peer: string, ms: number): void {
    for (const end = this.time.now + ms; this.time.now < end; this.time.run(50)) {
      for (let parallel = 0; parallel < 4; parallel++) this.ask(peer);
    }
  }

  total(prefix: string): number {
    return [...this.served].reduce((sum, [peer, bytes]) => sum + (peer.startsWith(prefix) ? bytes : 0), 0);
  }
}

describe('requests are answered in their turn', () => {
  test('at once while little was asked', () => {
    const world = new World();
    world.ask('10.0.0/1');
    world.ask('member-1');
    assert.deepEqual(world.answers, ['10.0.0/1 answered at 0', 'member-1 answered at 0']);
  });

  test('a stranger gets what one catches up with and no more, however many identities it has', () => {
    const world = new World();
    const { perSecond, burst } = limits.strangerServed.bytes;
    for (let second = 0; second < 10; second++) world.flood(`10.0.0/${second}`, 1_000);
    assert.ok(world.total('10.') <= burst + 13 * perSecond, String(world.total('10.')));
    assert.ok(world.total('10.') >= 5 * perSecond, 'and that much it does get');
  });

  test('a stranger who waited makes room for the next, however many waited before', () => {
    const world = new World();
    const { perSecond, burst } = limits.strangerServed.bytes;
    world.size = burst + perSecond / 2;
    for (let turn = 0; turn < 2 * limits.servedWaiting; turn++) {
      world.ask('10.0.0/1');
      world.ask('10.0.0/1');
      world.time.run(((burst + perSecond) / perSecond) * 2_000);
    }
    assert.equal(world.answers.length, 4 * limits.servedWaiting);
    assert.deepEqual(
      world.answers.filter((answer) => answer.includes('refused')),
      [],
    );
  });

  test('all strangers together get their share', () => {
    const world = new World();
    for (let turn = 0; turn < 100; turn++) {
      for (let block = 0; block < 50; block++) world.ask(`10.${block}/1`);
      world.time.run(100);
    }
    const { perSecond, burst } = limits.strangersServed.bytes;
    const each = world.size + 13 * limits.strangerServedFirst.bytes.perSecond;
    assert.ok(world.total('10.') <= burst + 13 * perSecond + 50 * each, String(world.total('10.')));
    world.ask('member-1');
    assert.equal(world.answers.at(-1), `member-1 answered at ${world.time.now}`);
  });

  test('the time that answers take counts, however small they are', () => {
    const world = new World();
    world.size = 10;
    world.busyMs = 20;
    world.flood('10.0.0/1', 5_000);
    const answered = world.answers.filter((answer) => answer.includes('answered')).length;
    const { perSecond, burst } = limits.strangerServed.busyMs;
    assert.ok(answered * 20 <= burst + 8 * perSecond, String(answered));
  });

  test('nobody waits because the node was stopped while it answered', () => {
    const world = new World();
    world.size = 10;
    world.busyMs = 60_000;
    world.ask('member-1');
    world.busyMs = 1;
    world.ask('member-1');
    assert.deepEqual(world.answers, ['member-1 answered at 0', 'member-1 answered at 0']);
  });

  test('who asks too much waits a little, and is refused when that is not enough', () => {
    const world = new World();
    world.size = limits.strangerServed.bytes.burst + MiB;
    for (const request of [1, 2, 3]) world.ask(`10.0.0/${request}`);
    world.time.run(10_000);
    const [first, ...others] = world.answers.map((answer) => answer.split(' at ')[0]);
    assert.equal(first, '10.0.0/1 answered');
    assert.deepEqual(
      others.toSorted((a = '', b = '') => a.localeCompare(b)),
      ['10.0.0/2 answered', '10.0.0/3 refused'],
    );
  });

  test('strangers come after members: what those take is not there for them', () => {
    const world = new World();
    world.size = 10;
    world.busyMs = limits.pieceCountedMs;
    for (let spent = 0; spent < limits.servedBusyMs.burst; spent += world.busyMs) world.ask('member-1');
    world.answers.length = 1;
    world.busyMs = 1;
    world.ask('member-2');
    world.ask('10.0.0/1');
    assert.deepEqual(
      world.answers.map((answer) => answer.split(' at ')[0]),
      ['member-1 answered', 'member-2 answered'],
    );
    world.time.run(limits.servedWaitMs);
    assert.equal(world.answers[2]?.split(' at ')[0], '10.0.0/1 answered');
  });

  test('members that ask without end take their part of the time together, and another does not wait for them', () => {
    const world = new World();
    world.size = 10;
    world.busyMs = 20;
    const { perSecond, burst } = limits.servedBusyMs;
    const members = ['member-1', 'member-2', 'member-3', 'member-4'];
    for (const end = world.time.now + 10_000; world.time.now < end; world.time.run(50)) {
      for (const member of members) for (let parallel = 0; parallel < 4; parallel++) world.ask(member);
    }
    const busyMs = 20 * world.answers.filter((answer) => answer.includes('answered')).length;
    const seconds = (world.time.now + busyMs) / 1_000;
    const { memberServedFirst: first } = limits;
    const most =
      burst + seconds * perSecond + members.length * (first.burst + seconds * first.perSecond + world.busyMs);
    assert.ok(busyMs <= most, `${busyMs} of ${most}`);
    assert.ok(busyMs >= 10 * perSecond, 'and that much they do get');
    world.answers.length = 0;
    world.ask('member-5');
    assert.deepEqual(world.answers, [`member-5 answered at ${world.time.now}`]);
  });

  test('what a member was given while nobody else asked is not held against it when all do', () => {
    const world = new World();
    world.size = 10;
    world.busyMs = 20;
    for (let second = 0; second < 60; second++) {
      for (let request = 0; request < 10; request++, world.time.run(100)) world.ask('member-5');
    }
    const calm = world.answers.filter((answer) => answer.includes('answered')).length;
    assert.ok(20 * calm > 10 * limits.memberServedFirst.burst, 'far more than what is kept for it');
    const others = ['member-1', 'member-2', 'member-3', 'member-4'];
    const flood = (): void => {
      for (const member of others) for (let parallel = 0; parallel < 4; parallel++) world.ask(member);
    };
    for (const end = world.time.now + 10_000; world.time.now < end; world.time.run(50)) flood();
    flood();
    world.answers.length = 0;
    world.ask('member-5');
    assert.deepEqual(world.answers, [`member-5 answered at ${world.time.now}`]);
  });

  test('a stranger who asks now and then is answered, however much others ask from other addresses', () => {
    const world = new World();
    world.size = MiB / 4;
    for (let second = 0; second < 20; second++) {
      for (let step = 0; step < 20; step++, world.time.run(50)) {
        for (let peer = 0; peer < 32; peer++) {
          for (let parallel = 0; parallel < 4; parallel++) world.ask(`10.${peer % 8}/${peer}`);
        }
        if (step === 10 && second % 5 === 4) world.ask('10.200/1');
      }
    }
    world.time.run(limits.servedWaitMs);
    const honest = world.answers.filter((answer) => answer.startsWith('10.200/1'));
    assert.deepEqual(
      honest.map((answer) => answer.split(' ')[1]),
      ['answered', 'answered', 'answered', 'answered'],
    );
  });

  test('only so many strangers wait at once', () => {
    const world = new World();
    // More than is there for one block, and for all of them: each waits a second.
    world.size = 5 * MiB;
    const blocks = limits.servedWaiting + 10;
    for (let turn = 0; turn < 2; turn++) {
      for (let block = 0; block < blocks; block++) world.ask(`10.${block}/1`);
    }
    assert.equal(world.answers.filter((answer) => answer.includes('answered')).length, blocks);
    assert.equal(world.answers.filter((answer) => answer.includes('refused')).length, 10);
  });

  test('those of one block do not take the places of all others among those who wait', () => {
    const world = new World();
    world.size = 5 * MiB;
    for (const peer of ['10.0/1', '10.1/1', '10.2/1', '10.3/1', '10.4/1']) world.ask(peer);
    for (let request = 0; request < limits.servedWaiting; request++) world.ask(`10.0/${request}`);
    world.answers.length = 0;
    world.ask('10.1/1');
    assert.deepEqual(world.answers, [`10.0/${limits.servedWaiting - 1} refused at 0`]);
    world.time.run(limits.servedWaitMs);
    assert.ok(world.answers.some((answer) => answer.startsWith('10.1/1 answered')));
  });
});
