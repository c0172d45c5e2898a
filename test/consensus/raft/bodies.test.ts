import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input } from '../../../src/consensus/engine.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader } from './world.ts';

/** A follower that heard of three blocks whose transactions nobody gives it, of which so many are final. */
function waiting(commit: number): Solo {
  const member = new Solo(2, 3);
  const entries = entriesOn(genesisHeader(3), [1, 1, 1], { text: 'x' });
  member.hear('append', 0, 1, { previous: genesisOf(3), entries, commit: toHeight(commit) });
  for (const { blockHash } of member.all('validate')) {
    member.give({
      type: 'validated',
      blockHash,
      result: { verdict: 'unavailable', reason: 'nobody has it' },
    });
  }
  return member;
}

/** How far a follower says that it has heard of the log. */
function received(member: Solo): number {
  member.sync();
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 1, commit: genesisOf(3), round: 1 });
  const [answer] = [...member.sent('heartbeat-answer'), ...member.sync().sent('heartbeat-answer')];
  assert.ok(answer);
  return answer.received;
}

test('what nobody gives now and is not final is asked for again', () => {
  const member = waiting(0);
  assert.equal(received(member), 3);
  member.tick(60);
  assert.equal(member.all('validate').length, 3);
});

test('what nobody gives and is final may be pruned everywhere: it is forgotten, so that the leader sends it again or a snapshot', () => {
  const member = waiting(2);
  assert.equal(received(member), 0);
  member.tick(60);
  assert.deepEqual(member.all('validate'), []);
  const [first] = entriesOn(genesisHeader(3), [1], { text: 'x' });
  assert.ok(first);
  assert.equal(nameOfEntry(first).height, 1);
  // It comes once more, and somebody has it now.
  member.append(0, 1, [first], 1).sync();
  assert.equal(member.state.commit, 1);
});

type Verdict = Extract<Input<never>, { readonly type: 'validated' }>['result'];

const nothing: Verdict = { verdict: 'unavailable', reason: 'nobody has it' };
const fine: Verdict = { verdict: 'valid', chain: [] };
const broken: Verdict = { verdict: 'invalid', reason: 'its roots differ' };

/** A follower of three blocks that it looks at just now, and their names. */
function looking(): { member: Solo; names: Hash[] } {
  const member = new Solo(2, 3);
  const entries = entriesOn(genesisHeader(3), [1, 1, 1], { text: 'x' });
  member.hear('append', 0, 1, { previous: genesisOf(3), entries });
  return { member, names: entries.map((entry) => nameOfEntry(entry).blockHash) };
}

test('an invalid block is forgotten with all above it: a valid one above does not vouch for it', () => {
  const { member, names } = looking();
  const [first, second, third] = names as [Hash, Hash, Hash];
  member.give({ type: 'validated', blockHash: second, result: broken });
  assert.match(member.engine.why(), /block 2 of term 1 is invalid: its roots differ/);
  assert.equal(received(member), 1);
  member.give({ type: 'validated', blockHash: third, result: fine });
  assert.equal(member.state.log.entries.length, 0);
  member.give({ type: 'validated', blockHash: first, result: fine });
  assert.deepEqual(
    member.state.log.entries.map(({ blockHash }) => blockHash),
    [first],
  );
  assert.doesNotMatch(member.engine.why(), /is invalid/, 'a valid block takes the complaint back');
});

test('a second verdict on a block that was asked about twice takes nothing back', () => {
  const { member, names } = looking();
  const [first, , third] = names as [Hash, Hash, Hash];
  member.give({ type: 'validated', blockHash: third, result: fine });
  for (const result of [fine, nothing, broken]) {
    member.give({ type: 'validated', blockHash: first, result });
    assert.equal(member.state.executed, 3);
    assert.doesNotMatch(member.engine.why(), /is invalid/);
  }
});

test('blocks found in the log at the start are executed before they are delivered; what is missing is asked for again', () => {
  const { member, names } = looking();
  const [, second, third] = names as [Hash, Hash, Hash];
  member.give({ type: 'validated', blockHash: third, result: fine }).sync();
  member.restart();
  assert.deepEqual(
    member.all('validate').map(({ blockHash }) => blockHash),
    [third],
    'it vouches for what is below it',
  );
  assert.deepEqual(member.sync().tick(200).all('validate'), [], 'once');
  member.give({ type: 'validated', blockHash: third, result: nothing });
  assert.deepEqual(member.all('validate'), []);
  assert.equal(member.tick(60).one('validate').blockHash, third);
  member.give({ type: 'validated', blockHash: third, result: broken });
  assert.match(member.engine.why(), /block 3 of term 1 is invalid/);
  assert.equal(member.tick(60).one('validate').blockHash, third);
  member.append(0, 1, entriesOn(genesisHeader(3), [1], { text: 'x' }), 1);
  assert.deepEqual([member.state.commit, member.all('commit').length], [1, 0]);
  member.give({ type: 'validated', blockHash: second, result: fine });
  assert.equal(member.all('commit').length, 1, 'a final block that is executed');
  member.give({ type: 'validated', blockHash: third, result: fine });
  assert.equal(member.state.executed, 3);
  assert.deepEqual(member.tick(200).all('validate'), []);
});

test('a follower that lost its leader asks nobody for what it lacks, and asks the next one', () => {
  // A learner hears its leader no more: it stays a follower, and there is nobody to ask.
  const lost = new Solo(2, 3);
  lost.records.clear();
  lost.restart();
  lost.sync();
  const [entry] = entriesOn(genesisHeader(3), [1], { text: 'x' });
  assert.ok(entry);
  const append = { kind: 'append', to: 2, previous: genesisOf(3), entries: [entry] } as const;
  lost.receive<'append'>({ ...append, from: 0, term: 1, commit: toHeight(0) });
  lost.give({ type: 'validated', blockHash: nameOfEntry(entry).blockHash, result: nothing }).sync();
  lost.tick(1_000);
  assert.equal(lost.engine.status().primary, null);
  lost.give({ type: 'validated', blockHash: nameOfEntry(entry).blockHash, result: nothing });
  assert.deepEqual(lost.tick(1_000).all('validate'), []);
  lost.receive<'append'>({ ...append, from: 1, term: 2, commit: toHeight(0) });
  assert.deepEqual(lost.one('validate').holders, [1]);
});
