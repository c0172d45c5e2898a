import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verified } from '../../../src/consensus/engine.ts';
import { limits } from '../../../src/base/limits.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { PbftMessage } from '../../../src/consensus/pbft/message.ts';
import { toUnsigned } from '../../../src/consensus/pbft/signing.ts';
import { Committee, sign } from './harness.ts';

const options = { blockIntervalMs: 0, viewTimeoutMs: 500 };

/** A committee in view 1 with a final block; and a Status of validator 2 from before all that. */
function world(n: number): { committee: Committee; old: PbftMessage } {
  const committee = new Committee(n, { options });
  const epoch = { chainId: committee.chainId, epoch: toHeight(0), validatorsHash: committee.validators.hash };
  const old = sign(
    toUnsigned(
      {
        kind: 'status',
        from: 2,
        view: toView(0),
        changing: false,
        finalHeight: toHeight(0),
        finalCertificate: undefined,
      },
      epoch,
    ),
    2,
  );
  committee.work();
  committee.run();
  committee.deliverable = (from, to) => from !== 0 && to !== 0;
  committee.work();
  const { engine } = committee.node(3);
  for (let turn = 0; turn < 60 && engine?.state.phase.name !== 'normal'; turn++) committee.pass(200);
  for (let turn = 0; turn < 60 && (engine?.state.view ?? 0) < 1; turn++) committee.pass(200);
  for (let turn = 0; turn < 60 && engine?.state.phase.name !== 'normal'; turn++) committee.pass(200);
  assert.equal(engine?.state.view, 1);
  return { committee, old };
}

/** What node 3 sends to validator 2 while a Status comes again and again, for ten seconds. */
function answersTo(committee: Committee, status: PbftMessage, direct: boolean): PbftMessage[] {
  const sent: PbftMessage[] = [];
  committee.deliverable = () => false;
  const node = committee.node(3);
  const send = node.send.bind(node);
  node.send = (to, message) => {
    if (to !== 'all' && to.includes(2)) sent.push(message);
    send(to, message);
  };
  for (let turn = 0; turn < 200; turn++) {
    committee.now += 50;
    node.step({ type: 'tick', now: committee.now });
    node.receive(status, direct);
  }
  return sent;
}

describe('an old Status', () => {
  for (const n of [4, 31]) {
    test(`sent again by anybody does nothing (n = ${n})`, () => {
      const { committee, old } = world(n);
      assert.equal(committee.node(3).engine?.wants(old), false, 'it is not even checked');
      assert.deepEqual(answersTo(committee, old, false), []);
      const heard = committee.node(3).engine?.state.peers[2];
      assert.ok((heard?.view ?? 0) >= 1, 'and what its sender proved stays');
    });
  }

  test('that was wanted when it came, and is old by the time its signature is checked, does nothing', () => {
    const { committee, old } = world(4);
    const node = committee.node(3);
    node.effects = [];
    node.step({ type: 'message', message: old as Verified<PbftMessage> });
    assert.deepEqual(node.effects, []);
    assert.ok((node.engine?.state.peers[2]?.view ?? 0) >= 1);
  });

  test('is answered on its sender’s own stream: a restart may have cost it what was not on disk', () => {
    const { committee, old } = world(4);
    const sent = answersTo(committee, old, true);
    assert.ok(sent.some(({ kind }) => kind === 'new-view'));
    assert.ok(sent.some(({ kind }) => kind === 'status'));
  });

  test('of a height that the votes of its sender have left behind by a window does nothing either', () => {
    const committee = new Committee(4, { options });
    const { chainId, validators } = committee;
    const epoch = { chainId, epoch: toHeight(0), validatorsHash: validators.hash };
    const { engine } = committee.node(3);
    const says = (height: number) =>
      sign(
        toUnsigned(
          {
            kind: 'status',
            from: 2,
            view: toView(0),
            changing: false,
            finalHeight: toHeight(height),
            finalCertificate: undefined,
          },
          epoch,
        ),
        2,
      );
    const { window } = committee.options;
    for (let block = 0; block <= window; block++) {
      committee.work();
      committee.run();
    }
    assert.equal(committee.node(2).finalHeight(), window + 1);
    assert.equal(engine?.wants(says(0)), false);
    assert.equal(engine?.wants(says(0), true), true);
    assert.equal(
      engine?.wants(says(1)),
      true,
      'it may vote at the last height of its window with this much final',
    );
  });

  test('of a view that its sender was seen to vote in since does nothing either', () => {
    const { committee } = world(4);
    const { chainId, validators } = committee;
    const status = sign(
      toUnsigned(
        {
          kind: 'status',
          from: 2,
          view: toView(1),
          changing: true,
          finalHeight: committee.node(2).finalHeight(),
          finalCertificate: committee.node(2).engine?.state.final.certificate ?? undefined,
        },
        { chainId, epoch: toHeight(0), validatorsHash: validators.hash },
      ),
      2,
    );
    assert.equal(committee.node(3).engine?.wants(status), false);
    assert.equal(committee.node(3).engine?.wants(status, true), true);
  });
});

test('votes far above prove nothing: one liar makes nobody take himself for behind', () => {
  const committee = new Committee(4, { options });
  const { engine } = committee.node(0);
  committee.work();
  committee.run();
  const { window } = committee.options;
  for (const kind of ['prepare', 'commit'] as const) {
    const [view, height] = [toView(0), toHeight(1 + window + limits.pbftFarAhead)];
    const vote = committee.say({ kind, from: 3, view, height, blockHash: committee.node(0).finalHash() });
    assert.equal(engine?.wants(vote), true, 'it may be of use when this replica is behind');
    committee.node(0).receive(vote);
  }
  assert.equal(engine?.status().highestKnown, 1);
  assert.match(engine?.why() ?? '', /idle/);
});

test('whoever is stuck right after a final block says so after the time after which all do', () => {
  const committee = new Committee(4, { options: { ...options, viewTimeoutMs: 10_000 } });
  const node = committee.node(3);
  const said = node.engine?.state.statusAt;
  committee.pass(200);
  committee.work();
  committee.run();
  assert.equal(node.finalHeight(), 1);
  assert.equal(node.engine?.state.statusAt, said, 'its last Status is from before that block');
  const finalAt = committee.now;
  committee.deliverable = () => false;
  committee.work();
  const statuses: number[] = [];
  node.send = (_, message) => {
    if (message.kind === 'status') statuses.push(committee.now - finalAt);
  };
  for (let turn = 0; turn < 25; turn++) {
    committee.now += 50;
    node.step({ type: 'tick', now: committee.now });
  }
  assert.deepEqual(statuses, [500, 1_000]);
});
