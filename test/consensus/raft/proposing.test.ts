import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import { entriesOn, genesisOf, Solo } from './solo.ts';
import { childOf, genesisHeader, signatureOf } from './world.ts';

// When a leader cuts blocks, and what becomes of one that is half made when it loses the lead.

const work = { type: 'work', work: { executable: 3, oldestSince: 0, passedOverSince: null } } as const;
const asked = (leader: Solo): boolean[] => leader.all('build').map(({ mustBeEmpty }) => mustBeEmpty === true);

test('a leader puts transactions into a block only when everything it has was applied once since its election', () => {
  const leader = new Solo(0, 3).append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 })).sync();
  leader.give(work).lead();
  assert.deepEqual(asked(leader), [true], 'first an empty one of its own term');
  leader.make().sync();
  assert.deepEqual(asked(leader.tick(50)), []);
  leader.accept(1, 2);
  assert.deepEqual([leader.state.commit, asked(leader)], [2, []], 'final, and not applied');
  leader.give({ type: 'applied', height: toHeight(1) });
  assert.deepEqual(asked(leader), []);
  leader.give({ type: 'applied', height: toHeight(2) });
  assert.deepEqual(asked(leader), [false]);
  assert.deepEqual(asked(leader.make('x')), [false], 'and from then on while blocks are on their way');
});

test('the next block comes blockIntervalMs after the last, or at once when that was full', () => {
  const leader = new Solo(0, 3, { options: { blockIntervalMs: 40 } });
  leader
    .give(work)
    .lead()
    .make()
    .sync()
    .accept(1, 1)
    .give({ type: 'applied', height: toHeight(1) });
  leader.tick(50);
  for (const text of ['x', 'y']) assert.deepEqual(asked(leader.make(text, true)), [false]);
  assert.deepEqual(asked(leader.make('z')), []);
  assert.deepEqual([asked(leader.tick(30)), asked(leader.tick(20))], [[], [false]]);
});

test('a leader builds nothing on blocks that it has not executed since its start', () => {
  const leader = new Solo(0, 3).append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 })).sync();
  leader.restart();
  const { blockHash } = leader.one('validate');
  leader.sync().lead();
  assert.deepEqual(asked(leader), []);
  leader.give({ type: 'validated', blockHash, result: { verdict: 'valid', chain: [] } });
  assert.deepEqual(asked(leader), [true]);
});

test('a block that was asked for in an earlier lead is forgotten, built or signed', () => {
  const leader = new Solo(0, 3).lead();
  const early = leader.one('build');
  const proposal = childOf(genesisHeader(3), { view: early.view, proposer: 0, transactions: [] });
  const built = { type: 'built', parentHash: early.parentHash, view: early.view, proposal } as const;
  leader.give(built);
  const { key } = leader.one('sign').message;
  const signed = { type: 'signed', key, signature: signatureOf(0, early.parentHash) } as const;
  leader.hear('heartbeat', 1, early.view + 1, { commit: genesisOf(3), round: 1 });
  leader.sync();
  assert.deepEqual([leader.give(built).effects, leader.give(signed).effects], [[], []], 'a follower');
  leader.lead();
  const late = leader.one('build');
  assert.notEqual(late.view, early.view);
  for (const input of [signed, built, signed]) assert.deepEqual(leader.give(input).effects, []);
  assert.equal(leader.state.log.entries.length, 0);
  const again = childOf(genesisHeader(3), { view: late.view, proposer: 0, transactions: [] });
  leader.give({ type: 'built', parentHash: late.parentHash, view: late.view, proposal: again });
  assert.deepEqual(leader.give(signed).effects, []);
  leader.give({ ...signed, key: `raft/block/${late.view}/1` });
  assert.equal(leader.state.log.entries.length, 1);
});

test('a block that comes twice, or that nobody waits for, changes nothing', () => {
  const leader = new Solo(0, 3).append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 })).sync();
  leader.lead();
  const { parentHash, view } = leader.one('build');
  leader.make();
  for (const proposal of [null, childOf(genesisHeader(3), { view, proposer: 0, transactions: [] })]) {
    assert.deepEqual(leader.give({ type: 'built', parentHash, view, proposal }).effects, []);
  }
});

test('a leader that found nothing to put into a block asks again when the mempool changes, or at the next heartbeat', () => {
  const leader = new Solo(0, 3).lead().make().sync().accept(1, 1);
  leader.give({ type: 'applied', height: toHeight(1) }).give(work);
  const nothing = (): Solo => {
    const { parentHash, view } = leader.one('build');
    return leader.give({ type: 'built', parentHash, view, proposal: null });
  };
  assert.deepEqual(asked(nothing()), []);
  assert.deepEqual(asked(leader.tick(1)), []);
  assert.deepEqual(asked(leader.give(work)), [false]);
  assert.deepEqual(asked(nothing()), []);
  assert.deepEqual(asked(leader.tick(50)), [false]);
});
