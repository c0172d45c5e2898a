import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextBelow, nextFloat, seedRandom } from '../../../src/base/random.ts';
import type { Vote } from '../../../src/consensus/raft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Cluster } from './cluster.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { genesisHeader } from './world.ts';

// Small rules of elections and transfers, each of which something depends on.

test('a member with a stalled disk does not even ask whether to campaign, and does when the disk is back', () => {
  const member = new Solo(0, 3);
  member.append(1, 1, entriesOn(genesisHeader(3), [1], { leader: 1 }));
  assert.ok(member.writes.length > 0);
  for (let i = 0; i < 20; i++) assert.deepEqual(member.tick(100).sent('vote-request'), []);
  member.sync().tick(100);
  assert.equal(member.state.role.kind, 'candidate');
});

test('vote traffic spreads what is committed: a follower that holds the block commits it', () => {
  const entries = entriesOn(genesisHeader(3), [1, 1], { leader: 1 });
  const [first] = entries;
  assert.ok(first !== undefined);
  const vote: Omit<Vote, 'term'> = { from: 2, pre: true, granted: false, commit: nameOfEntry(first) };
  const candidate = new Solo(0, 3).append(1, 1, entries).sync();
  while (candidate.state.role.kind === 'follower') candidate.tick(50);
  candidate.receive<'vote'>({ kind: 'vote', term: 1, ...vote });
  assert.equal(candidate.state.commit, 1);
  const asked = new Solo(0, 3).append(1, 1, entries).sync();
  asked.receive<'vote-request'>({
    kind: 'vote-request',
    from: 2,
    term: 1,
    pre: true,
    transfer: false,
    lastHeight: toHeight(1),
    lastTerm: first.proposal.header.view,
    commit: nameOfEntry(first),
  });
  assert.equal(asked.state.commit, 1);
  const [answered] = asked.sent('vote');
  assert.deepEqual(answered?.commit, nameOfEntry(first), 'and says so');
});

test('a member of a higher term answers the heartbeat of an old leader, and so deposes it', () => {
  const member = new Solo(1, 3);
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 2, term: 5, commit: genesisOf(3), round: 1 });
  member.receive<'heartbeat'>({ kind: 'heartbeat', from: 0, term: 4, commit: genesisOf(3), round: 9 });
  assert.deepEqual(
    member.sent('heartbeat-answer').map(({ term, round }) => [term, round]),
    [[5, 0]],
  );
  assert.equal(member.engine.status().primary, 2);
});

test('what waits for the disk in the name of an older term is not said any more', () => {
  const member = new Solo(1, 3);
  for (const [from, term] of [
    [0, 3],
    [2, 4],
  ] as const) {
    member.receive<'vote-request'>({
      kind: 'vote-request',
      from,
      term,
      pre: false,
      transfer: false,
      lastHeight: toHeight(0),
      lastTerm: toView(0),
      commit: genesisOf(3),
    });
  }
  assert.deepEqual(
    member
      .sync()
      .sent('vote')
      .map(({ term, granted }) => [term, granted]),
    [[4, true]],
  );
});

test('an heir is told to campaign when it has everything, and not before', () => {
  const cluster = Cluster.ledBy(0);
  const hold = cluster.wire.hold(({ to, message }) => to === 2 && message.kind === 'append');
  const transaction = cluster.submit('x');
  cluster.until(() => cluster.isFinalAt(cluster.host(0), transaction), 'final without the heir');
  cluster.host(0).ask({ kind: 'transfer', to: 2 });
  cluster.run(100);
  assert.ok(!cluster.wire.sent.some(({ message }) => message.kind === 'timeout-now'));
  hold.release();
  cluster.until(() => cluster.leader?.index === 2, 'the transfer', 400);
});

test('with any links gone there is one stable leader as long as some member is linked to a majority', () => {
  let tried = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = seedRandom(seed);
    const members = 3 + 2 * nextBelow(random, 2);
    const cluster = Cluster.ledBy(nextBelow(random, members), { members, seed });
    const links = Array.from({ length: members }, () => members);
    for (let a = 0; a < members; a++) {
      for (let b = a + 1; b < members; b++) {
        if (nextFloat(random) < 0.55) continue;
        // Also links that work in one direction only.
        if (nextFloat(random) < 0.2) cluster.wire.cuts.add(`${a}>${b}`);
        else cluster.wire.cut(a, b);
        for (const end of [a, b]) links[end] = (links[end] ?? 0) - 1;
      }
    }
    if (!links.some((count) => count > members / 2)) continue;
    tried += 1;
    cluster.run(10_000);
    const term = (): number => Math.max(...cluster.hosts.map(({ state }) => state.term));
    const before = term();
    const transaction = cluster.submit(`${seed}`);
    cluster.run(3_000);
    const cuts = [...cluster.wire.cuts].join(' ');
    assert.ok(
      cluster.hosts.some((host) => cluster.isFinalAt(host, transaction)),
      `${seed}: ${cuts}: ${cluster.describe()}`,
    );
    assert.equal(term(), before, `${seed}: ${cuts}`);
  }
  assert.ok(tried > 40);
});
