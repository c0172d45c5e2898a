import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import type { WireEntry } from '../../../src/consensus/raft/message.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { type Configuration, encodeConfiguration, type Member } from '../../../src/ledger/members.ts';
import { entriesOn, nameOfEntry, Solo, syncedEntry } from './solo.ts';
import { genesisHeader, keyOf } from './world.ts';

// Who was removed is trusted no more. It has its key and its index still, and a connection mostly.

const timeoutMs = 300;
const last = (entries: readonly WireEntry[]): WireEntry => defined(entries.at(-1), 'an entry');
const withRoles = (...roles: readonly Member['role'][]): Configuration =>
  roles.map((role, index) => ({ key: keyOf(index), role }));

/** Member 2 of four follows member 0 in term 3; the block at height 1 made the members what they are, and is applied. */
function under(configuration: Configuration): { member: Solo; change: WireEntry } {
  const member = new Solo(2, 4);
  const change = last(entriesOn(genesisHeader(4), [3], { configuration }));
  member.append(0, 3, [change], 1).sync();
  member.give({ type: 'applied', height: toHeight(1) }).sync();
  assert.deepEqual(member.state.configuration, configuration);
  return { member, change };
}

describe('a member that was removed', () => {
  const { change } = under(withRoles('voter', 'removed', 'voter', 'voter'));
  const block = last(entriesOn(change.proposal.header, [7], { leader: 1 }));
  const far = { ...nameOfEntry(block), height: toHeight(9) };
  const lies: Record<string, (member: Solo, term: number) => void> = {
    heartbeat: (member, term) => void member.hear('heartbeat', 1, term, { commit: far }),
    append: (member, term) =>
      void member
        .hear('append', 1, term, {
          previous: nameOfEntry(change),
          entries: [{ ...block, leader: 1 }],
          commit: toHeight(2),
        })
        .validate(),
    'vote-request': (member, term) =>
      void member.hear('vote-request', 1, term, {
        transfer: true,
        lastHeight: toHeight(9),
        lastTerm: toView(term - 1),
      }),
    vote: (member, term) => void member.hear('vote', 1, term, { commit: far }),
    accepted: (member, term) => void member.hear('accepted', 1, term, { block: far }),
    'heartbeat-answer': (member, term) => void member.hear('heartbeat-answer', 1, term, { round: 1 }),
    'timeout-now': (member, term) => void member.hear('timeout-now', 1, term),
    'snapshot-offer': (member, term) =>
      void member.hear('snapshot-offer', 1, term, { snapshot: far, configuration: change.configuration }),
  };
  for (const [kind, tell] of Object.entries(lies)) {
    for (const term of [3, 9]) {
      test(`decides nothing by its ${kind} of ${term === 3 ? 'the' : 'a later'} term`, () => {
        const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
        tell(member, term);
        const { role, commit, install } = member.state;
        assert.deepEqual([member.state.term, commit, install], [3, 1, null]);
        assert.ok(role.kind === 'follower' && role.leader === 0 && role.staging.length === 0);
        assert.deepEqual(member.all('send'), []);
        assert.deepEqual(member.accusations, [], 'it may be one that came back, and this member behind');
      });
    }
  }

  test('answers no read', () => {
    const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    member.give({ type: 'request', id: 5, request: { kind: 'read' } });
    const { context } = defined(member.sent('read-request')[0], 'the question');
    member.hear('read-answer', 1, 3, { context, height: toHeight(0) });
    assert.deepEqual(member.all('answer'), []);
    member.hear('read-answer', 0, 3, { context, height: toHeight(1) });
    assert.deepEqual(member.one('answer').result, { height: 1 });
  });

  test('does not depose a leader, nor take its term to where nobody can count on from', () => {
    const member = new Solo(0, 4).lead();
    const { term } = member.state;
    member.state.configuration = withRoles('voter', 'removed', 'voter', 'voter');
    for (const kind of ['accepted', 'heartbeat-answer', 'read-request', 'vote'] as const)
      member.hear(kind, 1, 2 ** 47, { commit: far, block: far, context: { incarnation: 1, serial: 1 } });
    assert.deepEqual([member.state.term, member.state.role.kind], [term, 'leader']);
  });

  test('may be back: what it says of later blocks is a reason to ask for the next one, now and then', () => {
    const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const asks = (): unknown[] => {
      member.hear('heartbeat', 1, 9, { commit: far });
      return member.all('sync').map(({ height, holders }) => ({ height, holders }));
    };
    assert.deepEqual(asks(), [{ height: 2, holders: [1] }]);
    assert.deepEqual(asks(), []);
    member.tick(timeoutMs);
    assert.equal(asks().length, 1);
    assert.equal(member.state.highestKnown, 1, 'it is not believed');
  });

  test('is believed again when it comes back', () => {
    const { member, change: first } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const back = last(
      entriesOn(first.proposal.header, [3], { configuration: withRoles('voter', 'voter', 'voter', 'voter') }),
    );
    member
      .append(0, 3, [back], 2)
      .sync()
      .give({ type: 'applied', height: toHeight(2) });
    member.hear('heartbeat', 1, 9, { commit: nameOfEntry(back) });
    assert.ok(member.state.role.kind === 'follower' && member.state.role.leader === 1);
  });
});

test('a read at one that was removed is refused at once: the leader that it heard last answers it no more', () => {
  const { member } = under(withRoles('voter', 'voter', 'removed', 'voter'));
  member.give({ type: 'request', id: 5, request: { kind: 'read' } });
  const { result } = member.one('answer');
  assert.ok('code' in result && result.code === 'consensus/no-leader' && /is no member/.test(result.message));
  assert.deepEqual(member.sent('read-request'), []);
});

describe('a leader that was removed', () => {
  const gone = withRoles('removed', 'voter', 'voter', 'voter');

  test('leads on for as long as it may take, in its term, and hands over', () => {
    const { member, change } = under(gone);
    member.hear('heartbeat', 0, 3, { commit: nameOfEntry(change), round: 4 });
    assert.deepEqual(
      member.sent('heartbeat-answer').map(({ round, applied }) => [round, applied]),
      [[4, 1]],
    );
    member.hear('timeout-now', 0, 3);
    assert.equal(member.state.role.kind, 'candidate');
  });

  test('but answers no read any more: neither one that was asked before, nor one that comes', () => {
    for (const isAskedBefore of [true, false]) {
      const member = new Solo(2, 4);
      const change = last(entriesOn(genesisHeader(4), [3], { configuration: gone }));
      const ask = (id: number): void => {
        member.give({ type: 'request', id, request: { kind: 'read', lease: false } });
      };
      member.append(0, 3, [change], 1).sync();
      if (isAskedBefore) ask(5);
      const asked = member.sent('read-request')[0];
      member.give({ type: 'applied', height: toHeight(1) });
      if (!isAskedBefore) ask(5);
      const { result } = member.one('answer');
      assert.ok('code' in result && result.code === 'consensus/no-leader');
      assert.equal(member.sent('read-request').length, 0);
      if (asked === undefined) continue;
      member.hear('read-answer', 0, 3, { context: asked.context, height: toHeight(0) });
      assert.deepEqual(member.all('answer'), []);
    }
  });

  test('but not for longer, and makes no block', () => {
    const { member, change } = under(gone);
    const block = last(entriesOn(change.proposal.header, [3]));
    member.hear('append', 0, 3, {
      previous: nameOfEntry(change),
      entries: [block],
      commit: toHeight(2),
    });
    assert.deepEqual(member.all('validate'), []);
    const hearOn = (): void => {
      for (let spent = 0; spent < 2 * timeoutMs; spent += 50)
        member.tick(50).hear('heartbeat', 0, 3, { commit: nameOfEntry(change), round: 4 });
    };
    hearOn();
    assert.deepEqual(member.sent('heartbeat-answer'), []);
    hearOn();
    assert.equal(member.state.role.kind, 'candidate', 'it hears nobody');
  });
});

describe('a final block that somebody serves', () => {
  const { change } = under(withRoles('voter', 'removed', 'voter', 'voter'));
  const [above] = entriesOn(change.proposal.header, [7], { leader: 1 });
  const higher = entriesOn(change.proposal.header, [7, 7], { leader: 1 });

  test('is taken of one who led until it was removed, right above that change', () => {
    const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    member.give(syncedEntry(defined(above, 'a block')));
    assert.equal(member.state.commit, 2);
  });

  test('right above a change is not taken of one that went with an earlier one', () => {
    const { member, change: first } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const second = last(
      entriesOn(first.proposal.header, [3], {
        configuration: withRoles('voter', 'removed', 'voter', 'learner'),
      }),
    );
    member
      .append(0, 3, [second], 2)
      .sync()
      .give({ type: 'applied', height: toHeight(2) });
    const by = (leader: number): WireEntry => last(entriesOn(second.proposal.header, [7], { leader }));
    member.give(syncedEntry(by(1)));
    assert.equal(member.state.commit, 2);
    member.give(syncedEntry(by(3)));
    assert.equal(member.state.commit, 3, 'of one that went with this one it is');
  });

  test('nor after a restart right at that change: the members before it tell who went', () => {
    const { member, change: first } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    let parent = first.proposal.header;
    const outOnce = ['learner', 'voter', 'learner'] as const;
    for (const [at, role] of outOnce.entries()) {
      const next = last(
        entriesOn(parent, [3], { configuration: withRoles('voter', 'removed', 'voter', role) }),
      );
      parent = next.proposal.header;
      const height = toHeight(2 + at);
      member.append(0, 3, [next], height).sync();
      member.give({ type: 'applied', height }).sync();
    }
    const kept = [...member.records.keys()].filter((key) => key.startsWith('raft/configuration/'));
    assert.equal(kept.length, 2, 'of those in force, and of those before');
    const by = (leader: number): WireEntry => last(entriesOn(parent, [7], { leader }));
    for (let restarts = 0; restarts < 2; restarts++) {
      member.restart(parent);
      member.sync().give(syncedEntry(by(1)));
      assert.equal(member.state.commit, 4);
    }
    member.give(syncedEntry(by(3)));
    assert.equal(member.state.commit, 5, 'of one that went with this one it is');
  });

  test('nor after a restart at the first change of a chain, before which there are those of the genesis file', () => {
    const { member, change: first } = under(withRoles('removed', 'voter', 'voter', 'voter', 'learner'));
    const by = (leader: number): WireEntry => last(entriesOn(first.proposal.header, [7], { leader }));
    member.restart(first.proposal.header);
    member.sync().give(syncedEntry(by(4)));
    assert.equal(member.state.commit, 1, 'a learner had no vote before either');
    member.give(syncedEntry(by(0)));
    assert.equal(member.state.commit, 2);
  });

  test('is taken of anybody who went where nobody knows the members before: on a disk of before these were kept', () => {
    const { member, change: first } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const second = last(
      entriesOn(first.proposal.header, [3], {
        configuration: withRoles('voter', 'removed', 'voter', 'learner'),
      }),
    );
    member.append(0, 3, [second], 2).sync();
    member.give({ type: 'applied', height: toHeight(2) }).sync();
    member.records.delete([...member.records.keys()].sort().find((key) => /configuration/.test(key)) ?? '');
    member.restart(second.proposal.header);
    member.sync().give(syncedEntry(last(entriesOn(second.proposal.header, [7], { leader: 1 }))));
    assert.equal(member.state.commit, 3);
  });

  test('above a snapshot is taken of those alone who went with its block, and of nobody when that changes nothing', () => {
    const without = withRoles('voter', 'removed', 'voter', 'voter');
    const [left] = entriesOn(genesisHeader(4), [3], { configuration: without });
    const start = defined(left, 'a block').proposal.header;
    const later = entriesOn(start, [3, 3]);
    const again = withRoles('voter', 'removed', 'voter', 'removed');
    for (const [block, after, outs] of [
      [defined(left, 'a block'), without, [1]],
      [last(later), without, []],
      // Between the genesis and this one there was another one.
      [last(entriesOn(start, [3], { configuration: again })), again, [1, 3]],
    ] as const) {
      const { header } = block.proposal;
      for (const from of [1, 3]) {
        const member = new Solo(2, 4);
        const snapshot = nameOfEntry(block);
        member.hear('snapshot-offer', 0, 3, { snapshot, configuration: encodeConfiguration(after) }).sync();
        const { certificate } = syncedEntry(block);
        member.give({ type: 'installed', header, blockHash: snapshot.blockHash, certificate }).sync();
        assert.equal(member.state.commit, header.height);
        member.give(syncedEntry(last(entriesOn(header, [7], { leader: from }))));
        const isTaken = (outs as readonly number[]).includes(from) || after[from]?.role === 'voter';
        assert.equal(member.state.commit, header.height + (isTaken ? 1 : 0), `of ${from}`);
      }
    }
  });

  test('is not taken of one that was removed before', () => {
    const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const give = (entries: readonly WireEntry[]): void => {
      const links = entries.map((entry) => ({
        isLast: false,
        ...nameOfEntry(entry),
        parentHash: entry.proposal.header.parentHash,
      }));
      member.give({ ...syncedEntry(last(entries)), chain: links });
    };
    give(higher);
    assert.deepEqual([member.state.commit, member.state.term], [1, 3]);
    give(entriesOn(change.proposal.header, [7, 7], { leader: 3 }));
    assert.equal(member.state.commit, 3, 'of a voter it is');
  });

  for (const [whose, signer] of [
    ['another member', 3],
    ['somebody who is no member', 4],
  ] as const)
    test(`is not taken with the signature of ${whose} than its proposer`, () => {
      const { member, change: own } = under(withRoles('voter', 'voter', 'voter', 'voter'));
      const block = last(entriesOn(own.proposal.header, [7], { leader: 1 }));
      member.give(syncedEntry(block, signer));
      assert.deepEqual([member.state.commit, member.state.term], [1, 3]);
      member.give(syncedEntry(block));
      assert.equal(member.state.commit, 2);
    });

  test('is not taken for final because the log has it: who signed it must have led', () => {
    const { member } = under(withRoles('voter', 'removed', 'voter', 'voter'));
    const blocks = entriesOn(change.proposal.header, [3, 3]);
    member.append(0, 3, blocks).sync();
    member.give(syncedEntry(last(blocks), 1));
    assert.equal(member.state.commit, 1);
    member.give(syncedEntry(last(blocks)));
    assert.equal(member.state.commit, 3);
  });
});
