import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { toHeight } from '../../../src/ledger/block.ts';
import { Committee } from './harness.ts';

const sentKinds = (committee: Committee, index: number): string[] =>
  committee.node(index).effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.kind] : []));

const heightOf = (message: PbftMessage): number => ('height' in message ? message.height : 0);

const preparesIn = (committee: Committee, index: number, view: number): boolean =>
  committee
    .node(index)
    .effects.some(
      (effect) => effect.type === 'send' && effect.message.kind === 'prepare' && effect.message.view === view,
    );

test('four replicas: one pre-prepare, four prepares, four commits, and the block is final everywhere', () => {
  const committee = new Committee(4);
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [1, 1, 1, 1]);
  assert.deepEqual(sentKinds(committee, 0), ['pre-prepare', 'prepare', 'commit']);
  for (const backup of [1, 2, 3]) assert.deepEqual(sentKinds(committee, backup), ['prepare', 'commit']);
  const certificate = committee.node(2).certificates.get(toHeight(1));
  assert.ok(certificate?.engine === 'pbft' && certificate.phase === 'commit');
  assert.equal(certificate.signatures.length, 3);
});

for (const n of [1, 2, 3, 4, 5, 6, 7, 10, 13]) {
  test(`${n} validators make blocks`, () => {
    const committee = new Committee(n);
    for (let round = 0; round < 5; round++) {
      committee.work();
      committee.run();
      committee.pass(100);
    }
    assert.ok(Math.min(...committee.heights()) >= 5, committee.heights().join(' '));
    committee.checkAgreement();
  });
}

test('a crashed backup of four does not stop it, and no view changes', () => {
  const committee = new Committee(4);
  committee.node(3).crash();
  for (let round = 0; round < 10; round++) {
    committee.work();
    committee.pass(100);
  }
  assert.deepEqual(committee.heights().slice(0, 3), [10, 10, 10]);
  assert.equal(committee.node(0).engine?.status().view, 0);
});

test('more are missing than can be when no quorum is left, and of three or six one more than may lie can be', () => {
  for (const [size, missing, isTooMany] of [
    [3, 1, false],
    [3, 2, true],
    [4, 1, false],
    [4, 2, true],
    [6, 2, false],
    [6, 3, true],
  ] as const) {
    const committee = new Committee(size);
    for (let index = size - missing; index < size; index++) committee.node(index).crash();
    committee.work();
    committee.pass(10_000);
    assert.equal(committee.node(0).finalHeight() > 0, !isTooMany, `${missing} of ${size}`);
    const why = committee.node(0).engine?.why() ?? '';
    assert.match(why, new RegExp(`validator ${size - 1} (never heard|silent)`));
    assert.equal(why.includes('more than can be missing'), isTooMany, why);
  }
});

test('two crashed of four: nothing becomes final, and it goes on by itself when one returns', () => {
  const committee = new Committee(4);
  committee.node(2).crash();
  committee.node(3).crash();
  committee.work();
  committee.pass(60_000);
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
  assert.match(committee.node(0).engine?.why() ?? '', /2 of 3|more than can be missing/);
  committee.node(2).restart();
  committee.work();
  const { viewTimeoutCapMs } = committee.options;
  committee.pass(2 * viewTimeoutCapMs);
  assert.ok(
    committee.node(0).finalHeight() >= 1,
    'final within two capped timeouts of the return of a quorum',
  );
});

test('nothing is proposed while idle', () => {
  const committee = new Committee(4);
  committee.pass(60_000);
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
  assert.equal(committee.node(0).engine?.status().view, 0, 'and nobody suspects an idle primary');
});

test('a heartbeat interval makes empty blocks while idle', () => {
  const committee = new Committee(4, { options: { heartbeatMs: 1_000 } });
  committee.pass(10_500);
  assert.ok(committee.node(0).finalHeight() >= 9);
});

test('rotation: every R blocks it is the next validator’s turn, within one view', () => {
  const committee = new Committee(4, { options: { blocksPerPrimary: 2 } });
  for (let round = 0; round < 8; round++) {
    committee.work();
    committee.pass(100);
  }
  assert.deepEqual(committee.heights(), [8, 8, 8, 8]);
  const proposers = [...committee.node(0).chain.values()].map((blockHash) =>
    committee.keys.indexOf(committee.blocks.get(blockHash)?.proposer ?? committee.genesis.proposer),
  );
  assert.deepEqual(proposers, [0, 0, 1, 1, 2, 2, 3, 3]);
  assert.equal(committee.node(0).engine?.status().view, 0);
});

test('the window bounds the heights in flight', () => {
  const committee = new Committee(4, { options: { window: 3, blockIntervalMs: 0 } });
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  for (let round = 0; round < 10; round++) {
    committee.work();
    committee.run();
  }
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
  assert.equal(committee.node(0).engine?.status().inFlight, 3);
});

test('one commit certificate makes all ancestors final, in order, each once', () => {
  const committee = new Committee(4, { options: { blockIntervalMs: 0 } });
  committee.deliverable = (_, to, message) =>
    !(to === 3 && message.kind === 'commit' && 'height' in message && message.height < 3);
  for (let round = 0; round < 3; round++) committee.work();
  committee.run();
  const commits = committee
    .node(3)
    .effects.flatMap((effect) =>
      effect.type === 'commit' ? [[effect.link.height, effect.certificate !== null]] : [],
    );
  assert.ok(commits.length >= 3);
  assert.deepEqual(
    commits.map(([height]) => height),
    commits.map((_, index) => index + 1),
  );
  assert.deepEqual(commits.slice(0, 3), [
    [1, false],
    [2, false],
    [3, true],
  ]);
});

test('prepares that arrive before the proposal count when it comes', () => {
  const committee = new Committee(4);
  committee.work();
  const held: PbftMessage[] = [];
  committee.deliverable = (_, to, message) => {
    if (to !== 3 || message.kind === 'prepare') return true;
    held.push(message);
    return false;
  };
  committee.run();
  assert.equal(committee.node(3).finalHeight(), 0);
  committee.deliverable = () => true;
  for (const message of held) committee.node(3).receive(message);
  assert.equal(committee.node(3).finalHeight(), 1);
});

test('a proposal whose parent is not accepted yet waits for it', () => {
  const committee = new Committee(4, { options: { blockIntervalMs: 0 } });
  committee.work();
  committee.work();
  committee.wire.sort((a, b) => heightOf(b.message) - heightOf(a.message));
  committee.run();
  assert.ok(Math.min(...committee.heights()) >= 2);
});

test('an invalid proposal is refused, its primary suspected at once, and the next one goes on', () => {
  const committee = new Committee(4);
  committee.work();
  for (const { message } of committee.wire) {
    if (message.kind === 'pre-prepare') committee.invalid.add(message.blockHash);
  }
  committee.run();
  assert.deepEqual(committee.heights(), [1, 1, 1, 1], 'no timeout was needed');
  assert.equal(committee.node(1).engine?.status().view, 1);
  for (const node of committee.nodes) assert.ok(!committee.invalid.has(node.finalHash()));
});

test('a proposal that does not extend its parent is refused', () => {
  const committee = new Committee(4);
  committee.node(0).tamper = (_, message) => {
    if (message.kind !== 'pre-prepare') return [message];
    const header = { ...message.proposal.header, parentHash: committee.chainId };
    return [{ ...message, proposal: { ...message.proposal, header } }];
  };
  committee.work();
  committee.run();
  for (const backup of [1, 2, 3]) assert.ok(!preparesIn(committee, backup, 0), 'nobody prepares it');
  assert.deepEqual(committee.heights(), [1, 1, 1, 1], 'the next primary goes on');
});

test('a proposal that names another author, view or validator set is refused', () => {
  for (const forge of [{ proposer: 2 }, { view: 1 }, { validators: true }] as {
    proposer?: number;
    view?: number;
    validators?: boolean;
  }[]) {
    const committee = new Committee(4);
    committee.node(0).tamper = (_, message) => {
      if (message.kind !== 'pre-prepare') return [message];
      const { header } = message.proposal;
      const forged = {
        ...header,
        ...(forge.proposer === undefined
          ? {}
          : { proposer: committee.keys[forge.proposer] ?? header.proposer }),
        ...(forge.view === undefined ? {} : { view: forge.view as typeof header.view }),
        ...(forge.validators === undefined ? {} : { validatorsHash: committee.chainId }),
      };
      return [{ ...message, proposal: { ...message.proposal, header: forged } }];
    };
    committee.work();
    committee.run();
    for (const backup of [1, 2, 3]) assert.ok(!preparesIn(committee, backup, 0));
  }
});

test('a proposal by somebody who is not the primary is ignored', () => {
  const committee = new Committee(4);
  committee.node(0).tamper = (_, message) =>
    message.kind === 'pre-prepare' ? [{ ...message, from: 2 }] : [message];
  committee.work();
  committee.run();
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
});

test('a vote counts once, however often it comes', () => {
  const committee = new Committee(4);
  committee.deliverable = (from, _, message) => !(message.kind === 'prepare' && from >= 2);
  for (const node of committee.nodes) node.tamper = (_, message) => [message, message, message];
  committee.work();
  committee.run();
  for (const node of [committee.node(0), committee.node(1)]) {
    assert.ok(
      !node.effects.some((effect) => effect.type === 'send' && effect.message.kind === 'commit'),
      'two prepares, the other’s three times, are not a quorum of three',
    );
  }
});

test('prepares are not commits', () => {
  const committee = new Committee(4);
  committee.deliverable = (_, __, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  committee.pass(1_000);
  assert.deepEqual(committee.heights(), [0, 0, 0, 0]);
});
