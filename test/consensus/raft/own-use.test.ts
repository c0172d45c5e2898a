import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import type { Verified } from '../../../src/consensus/engine.ts';
import { isAmnesiac } from '../../../src/consensus/raft/replica.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader } from './world.ts';
import type { WireEntry } from '../../../src/consensus/raft/message.ts';

// Blocks by a member's own key that its process did not make: an old copy of its directory, or another process.

const genesis = genesisHeader(3);
/** Blocks on genesis by member 2, one for each term. */
const ofTwo = (...terms: readonly number[]): WireEntry[] => entriesOn(genesis, terms, { leader: 2 });
const last = (entries: readonly WireEntry[]): WireEntry => entries.at(-1) as WireEntry;
const doubts = (member: Solo): readonly unknown[] =>
  member.all('trace').flatMap(({ event, data }) => (event === 'key-used-elsewhere' ? [data?.['again']] : []));

/** It follows a leader that gives it these, and returns what it noticed. */
function follow(member: Solo, term: number, entries: readonly WireEntry[]): readonly unknown[] {
  const [first] = entries;
  member.hear('append', 0, term, {
    previous: { height: toHeight(0), blockHash: first?.proposal.header.parentHash ?? genesisOf(3).blockHash },
    entries,
  });
  return doubts(member);
}

/** A leader answers what it asked after a loss; in a later term, when it was elected anew meanwhile. */
function answer(member: Solo, term: number, height: number, termOfAnswer = term): void {
  const heard = { kind: 'heartbeat', from: 0, term, commit: genesisOf(3), round: 1 } as const;
  for (let waited = 0; waited <= 600; waited += 50) {
    const asked = [
      ...member.tick(50).sent('read-request'),
      ...member.receive<'heartbeat'>(heard).sent('read-request'),
    ].at(-1);
    if (asked === undefined) continue;
    const { context } = asked;
    member.receive<'read-answer'>({
      kind: 'read-answer',
      from: 0,
      term: termOfAnswer,
      context,
      height: toHeight(height),
    });
    return;
  }
  assert.fail('it asks no leader');
}

test('a block of its key, of a later term than it knew, in which it did not lead: it decides nothing from then on', () => {
  const member = new Solo(2, 3);
  assert.deepEqual(follow(member, 5, ofTwo(4)), [false]);
  assert.equal(isAmnesiac(member.state), true);
  assert.match(member.engine.why(), /another process uses the key, which is to be found and stopped, or/);
  assert.equal(member.engine.status().voting, false);
  member.sync();
  member.restart();
  assert.equal(member.engine.status().voting, false, 'the disk knows that, too');
  assert.ok(member.state.incarnation > 2 ** 31, 'no question of it was ever asked before');
});

test('what it had promised and not said yet is not said any more', () => {
  // Of an earlier term, and of the one in which it notices.
  for (const term of [3, 5]) {
    const member = new Solo(2, 3);
    member.hear('vote-request', 1, term, { commit: genesisOf(3), held: undefined });
    assert.deepEqual(follow(member, 5, ofTwo(4)), [false]);
    assert.deepEqual(member.sync().sent('vote'), []);
  }
});

test('a block of its key among those that sync brings is noticed, wherever it stands', () => {
  const [own] = ofTwo(4) as [WireEntry];
  const [above] = entriesOn(own.proposal.header, [5], { leader: 1 }) as [WireEntry];
  for (const chain of [[own], [own, above]]) {
    const member = new Solo(2, 3);
    const end = last(chain);
    member.give({
      type: 'synced',
      chain: chain.map((entry) => ({
        isLast: false,
        ...nameOfEntry(entry),
        parentHash: entry.proposal.header.parentHash,
      })),
      certificate: {
        engine: 'raft',
        term: end.proposal.header.view,
        ...nameOfEntry(end),
        leader: end.leader,
        signature: end.signature,
        configuration: end.configuration,
      } as Verified<FinalityCertificate>,
      header: end.proposal.header,
      below: chain.slice(0, -1).map(({ proposal }) => proposal.header),
    });
    assert.deepEqual(doubts(member), [false]);
    assert.equal(isAmnesiac(member.state), true);
  }
});

test('its own blocks doubt nothing: of the terms that it led, also when others bring them back, and of those before its start', () => {
  const member = new Solo(2, 3).lead();
  member.make();
  const { term } = member.state;
  const own = member.state.log.entries[0];
  assert.ok(own !== undefined && own.transactionHashes !== null);
  const proposal = { header: own.header, transactionHashes: own.transactionHashes };
  const wire = { ...own, proposal } as WireEntry;
  assert.deepEqual(follow(member, term + 2, entriesOn(genesis, [term + 1], { leader: 1 })), []);
  member.validate().sync();
  assert.equal(member.state.log.entries[0]?.header.view, term + 1, 'another leader took it off');
  assert.deepEqual(follow(member, term + 3, [wire]), [], 'and one of later has it still');
  member.sync();
  member.restart();
  assert.deepEqual(follow(member, term + 3, [wire]), [], 'a crash may have taken it from here');
  assert.equal(isAmnesiac(member.state), false);
});

test('blocks of others, and of a log that is known to be lost, doubt nothing', () => {
  const member = new Solo(2, 3);
  assert.deepEqual(follow(member, 5, entriesOn(genesis, [4, 5], { leader: 1 })), []);
  assert.equal(isAmnesiac(member.state), false);
  member.restart(undefined, undefined, 'lost');
  assert.deepEqual(follow(member, 9, ofTwo(7, 8)), []);
  member.restart(undefined, undefined, 'vouched');
  assert.deepEqual(follow(member, 12, ofTwo(10)), [], 'an operator’s word explains them');
});

test('one of a later term than the leader’s that told it what was committed is another process’s', () => {
  const member = new Solo(2, 3);
  follow(member, 5, ofTwo(4));
  member.sync();
  assert.deepEqual(follow(member, 6, ofTwo(4, 5)), [], 'it is asking: all of them may be of before');
  answer(member, 6, 1);
  assert.deepEqual(follow(member, 8, ofTwo(6)), [], 'that leader’s term is the last');
  assert.deepEqual(follow(member, 8, ofTwo(7)), [true]);
});

test('that leader’s term is the one in which it answered, not the one in which it was asked', () => {
  const member = new Solo(2, 3);
  follow(member, 5, ofTwo(4));
  member.sync();
  // It led term 7 before the loss, of which the leader of term 6 had not heard when it asked that one.
  answer(member, 6, 1, 8);
  assert.deepEqual(follow(member, 8, ofTwo(7)), []);
  assert.deepEqual(follow(member, 10, ofTwo(9)), [true]);
});

test('the terms that it led are bounded, and those that are forgotten doubt nothing', () => {
  const member = new Solo(2, 3);
  for (let count = 0; count <= limits.raftTermsLed; count++) {
    member.lead();
    const { term } = member.state;
    member.hear('heartbeat', 0, term + 1, { commit: genesisOf(3), round: 1 });
    member.sync();
  }
  const { led, upTo } = member.state.keyUse;
  assert.equal(led.size, limits.raftTermsLed);
  assert.ok(upTo > 0 && !led.has(upTo));
  assert.deepEqual(follow(member, member.state.term + 1, ofTwo(upTo)), []);
  assert.deepEqual(
    follow(member, member.state.term + 1, [last(ofTwo(upTo + 1))]),
    [false],
    'others led in between',
  );
});
