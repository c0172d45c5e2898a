import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, Input } from '../../src/consensus/engine.ts';
import type { EngineStart } from '../../src/consensus/protocol.ts';
import type { RaftMessage } from '../../src/consensus/raft/message.ts';
import { Breach } from '../../src/simulator/checkers/breach.ts';
import { RaftDutyChecker } from '../../src/simulator/checkers/raft-duties/duty-checker.ts';
import { type Body, entriesOn, genesisOf, Solo } from '../consensus/raft/solo.ts';
import { childOf, genesisHeader, keyOf, signatureOf } from '../consensus/raft/world.ts';
import { hashHeader, toHeight } from '../../src/ledger/block.ts';
import type { Configuration } from '../../src/ledger/members.ts';

const timing = { heartbeatMs: 50, electionTimeoutMs: 300, blockIntervalMs: 0, leaseReads: false };
type Effects = readonly Effect<RaftMessage>[];

/** A real member under its duties: `lazy` takes effects away before its duties are looked at, and `told` is what it gets instead of an input. */
class Watched {
  readonly member: Solo;
  readonly duties: RaftDutyChecker;

  constructor(members = 3) {
    this.member = new Solo(0, members);
    const start = { now: this.member.now, records: this.member.records } as unknown as EngineStart;
    this.duties = new RaftDutyChecker({ node: 0, timing }, start, this.member.state);
  }

  give(
    input: Input<RaftMessage>,
    lazy: (effects: Effects) => Effects = (effects) => effects,
    told = input,
  ): this {
    this.member.give(told);
    this.duties.step(input, lazy(this.member.effects), this.member.state);
    return this;
  }

  hear<K extends RaftMessage['kind']>(body: Body<K>, lazy?: (effects: Effects) => Effects): this {
    return this.give({ type: 'message', message: body } as unknown as Input<RaftMessage>, lazy);
  }

  /** The process stands still, and its first tick comes so late. */
  standStill(ms: number, isTold = true): this {
    const now = (this.member.now += ms);
    return this.give({ type: 'tick', now, lateMs: ms }, undefined, {
      type: 'tick',
      now,
      ...(isTold && { lateMs: ms }),
    });
  }

  tick(ms: number, lazy?: (effects: Effects) => Effects): this {
    this.member.now += ms;
    return this.give({ type: 'tick', now: this.member.now }, lazy);
  }

  sync(): this {
    for (let write = this.member.writes.shift(); write !== undefined; write = this.member.writes.shift())
      this.give({ type: 'persisted', seq: write.seq, signed: [] });
    return this;
  }
}

const beats = (effects: Effects): Effects =>
  effects.filter((effect) => effect.type !== 'send' || effect.message.kind !== 'append');
const silent = (effects: Effects): Effects => effects.filter(({ type }) => type !== 'send');

function neglects(words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Breach && error.guarantee === 'duty' && words.test(error.message);
}

const beat = (term: number, from = 1) =>
  ({ kind: 'heartbeat', from, term, commit: genesisOf(3), round: 1 }) as const;

test('a heartbeat is answered, also one of an old term', () => {
  new Watched().hear(beat(1)).sync().hear(beat(1));
  assert.throws(() => new Watched().hear(beat(1), silent), neglects(/does not answer heartbeat/));
  const later = new Watched().hear(beat(2)).sync();
  assert.throws(() => later.hear(beat(1, 2), silent), neglects(/does not answer heartbeat/));
});

test('one that was removed is owed nothing, and not followed', () => {
  const removed: Configuration = [0, 1, 2].map((index) => ({
    key: keyOf(index),
    role: index === 1 ? 'removed' : 'voter',
  }));
  const watched = (): Watched => {
    const found = new Watched();
    found.member.state.configuration = removed;
    return found.tick(10).sync();
  };
  watched().hear(beat(1), silent);
  const followed = watched();
  const { state } = followed.member;
  const misled = { ...state, role: { kind: 'follower', leader: 1 } } as unknown as typeof state;
  assert.throws(
    () =>
      followed.duties.step(
        { type: 'message', message: beat(1) } as unknown as Input<RaftMessage>,
        [],
        misled,
      ),
    neglects(/follows 1, who was removed/),
  );
});

test('a vote is answered, and an append that does not fit is refused', () => {
  const request = {
    kind: 'vote-request',
    from: 1,
    term: 1,
    pre: true,
    transfer: false,
    lastHeight: 0,
    lastTerm: 0,
    commit: genesisOf(3),
  } as unknown as Body<'vote-request'>;
  new Watched().hear(request);
  assert.throws(() => new Watched().hear(request, silent), neglects(/does not tell 1 that it would vote/));
  const [first, second] = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const unfit = {
    kind: 'append',
    from: 1,
    to: 0,
    term: 1,
    previous: { height: 1, blockHash: second?.proposal.header.parentHash },
    entries: [second],
    commit: 0,
  } as unknown as Body<'append'>;
  void first;
  new Watched().hear(unfit);
  assert.throws(
    () => new Watched().hear(unfit, silent),
    neglects(/does not tell 1 that its log has no block 1/),
  );
});

test('whoever hears no leader seeks the lead, and asks all who vote', () => {
  const lazy = new Watched();
  assert.throws(
    () => {
      for (let ms = 0; ms < 1_000; ms += 20) lazy.tick(20, silent);
    },
    neglects(/does not ask 1 for its pre-vote/),
  );
  const good = new Watched();
  for (let ms = 0; ms < 1_000; ms += 20) good.tick(20);
});

test('who heard its leader until it stood still reads what came meanwhile before it seeks the lead', () => {
  const good = new Watched().hear(beat(1)).sync().standStill(2_000);
  for (let ms = 0; ms < 1_000; ms += 20) good.tick(20);
  const hasty = new Watched().hear(beat(1)).sync();
  assert.throws(
    () => hasty.standStill(2_000, false),
    neglects(/seeks the lead before it reads what came meanwhile/),
  );
});

test('a leader sends again what gets no answer; the time in which it stood still does not count', () => {
  const leading = (): Watched => {
    const leader = new Watched();
    while (leader.member.state.role.kind === 'follower') leader.tick(20);
    for (const pre of [true, false]) {
      const { term } = leader.member.state;
      const vote = { kind: 'vote', from: 1, term, pre, granted: true, commit: genesisOf(3) } as const;
      leader.hear(vote).sync();
    }
    const [build] = leader.member.all('build');
    assert.ok(build !== undefined, 'it leads, and makes its first block');
    const { parentHash, view } = build;
    const proposal = childOf(genesisHeader(3), { view, proposer: 0, transactions: [] });
    leader.give({ type: 'built', parentHash, view, proposal });
    const { key } = leader.member.one('sign').message;
    return leader
      .give({ type: 'signed', key, signature: signatureOf(0, hashHeader(proposal.header)) })
      .sync();
  };
  const answer = (leader: Watched, from: number): Watched => {
    const { term } = leader.member.state;
    const none = toHeight(0);
    const body = { kind: 'heartbeat-answer', from, term, round: 1, received: none, applied: none } as const;
    return leader.hear(body, silent);
  };
  const still = leading();
  const now = (still.member.now += 2_700);
  still.give({ type: 'tick', now, lateMs: 2_700 }, beats);
  assert.doesNotThrow(() => answer(still, 2));
  const lazy = leading();
  assert.throws(
    () => {
      for (let ms = 0; ms < 2_700; ms += 20) answer(answer(lazy.tick(20, beats), 1), 2);
    },
    neglects(/sent 1, which has 0 of 1, nothing again/),
  );
});
