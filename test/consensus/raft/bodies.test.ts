import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader } from './world.ts';

/** A follower that heard of three blocks whose transactions nobody gives it, of which so many are final. */
function waiting(commit: number): Solo {
  const member = new Solo(2, 3);
  const entries = entriesOn(genesisHeader(3), [1, 1, 1], { text: 'x' });
  member.receive<'append'>({
    kind: 'append',
    from: 0,
    to: 2,
    term: 1,
    previous: genesisOf(3),
    entries,
    commit: toHeight(commit),
  });
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
