import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defined } from '../../../src/base/invariant.ts';
import { encodeMessage } from '../../../src/consensus/pbft/message-codec.ts';
import type { PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import type { Hash } from '../../../src/crypto/hash.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Committee, pick, type TestNode } from './harness.ts';

const options = { window: 4, viewTimeoutMs: 400, viewTimeoutCapMs: 800, statusMs: 100, idleStatusMs: 400 };

/** Five nodes, of which the first four are validators until block 2 puts the fifth in the place of the first. */
function changing(at = 2, next: readonly number[] = [1, 2, 3, 4]): Committee {
  const committee = new Committee(5, { options, validators: 4 });
  committee.changes.set(at, next);
  return committee;
}

const stateOf = (node: TestNode) => defined(node.engine, 'engine').state;
const votes = (node: TestNode): string[] =>
  node.signed().filter((key) => /^(pre-prepare|prepare|commit|view-change|new-view)/.test(key));

/** Commits are kept back: block 2, the last one of its epoch, is prepared everywhere and final nowhere. */
function withLastPrepared() {
  const committee = changing();
  committee.grow(1);
  committee.deliverable = (_from, _to, message) => message.kind !== 'commit';
  committee.work();
  committee.run();
  const node = committee.node(1);
  const [last] = [...stateOf(node).slots.values()];
  assert.ok(last?.height === 2);
  return { committee, node, last };
}

/** Everything goes on until all nodes have this height. */
function growAll(committee: Committee, height: number): void {
  committee.grow(height);
  committee.pass(3_000);
  for (const node of committee.nodes) assert.ok(node.finalHeight() >= height, `node ${node.index}`);
  committee.checkAgreement();
}

describe('the last block of an epoch', () => {
  test('hands over to the next validators: the new one votes, the removed one follows', () => {
    const committee = changing();
    growAll(committee, 5);
    for (const node of committee.nodes) assert.equal(node.epoch(), 2);
    const [removed, added] = [committee.node(0), committee.node(4)];
    assert.ok(votes(added).includes('commit/2/0/3'), 'a key that becomes a validator votes in the new epoch');
    assert.ok(
      votes(removed).every((key) => key.split('/')[1] === '0'),
      'a key that was removed signs nothing more',
    );
    assert.equal(stateOf(removed).final.height, committee.node(1).finalHeight(), 'and follows all the same');
    assert.equal(stateOf(added).view, 0);
  });

  test('tells of the next validators whom it heard in this one, wherever they stand now', () => {
    const committee = changing();
    committee.deliverable = (from, to, { epoch }) => from !== 2 && to !== 2 && epoch === 0;
    committee.pass(1_000);
    committee.grow(2);
    const { contact, now } = stateOf(committee.node(1));
    // Validators 2 and 3 are 1 and 2 from now on.
    assert.ok((contact.get(1) ?? 0) <= now - 1_000);
    assert.ok((contact.get(2) ?? 0) > now - 1_000);
  });

  test('has nothing proposed, accepted or voted for above it before it is final', () => {
    const committee = changing();
    committee.grow(1);
    // Commits of block 2 are kept back: it is prepared everywhere, and final nowhere.
    committee.deliverable = (_from, _to, message) => message.kind !== 'commit';
    for (const node of committee.nodes) node.effects = [];
    for (let round = 0; round < 4; round++) {
      committee.work();
      committee.run();
    }
    assert.deepEqual(new Set(committee.heights().slice(0, 4)), new Set([1]));
    const builds = committee.nodes.flatMap(({ effects }) =>
      effects.flatMap((effect) => (effect.type === 'build' ? [effect.height] : [])),
    );
    assert.deepEqual(new Set(builds), new Set([2]), 'the window drains');
  });

  test('makes a primary suspect that proposes above it, under either set', () => {
    for (const height of [2, 3]) {
      const { committee, node, last } = withLastPrepared();
      const validatorsHash = committee.setAt(height).validators.hash;
      const place = { height: 3, parentHash: last.blockHash, view: 0, proposer: 0, salt: 99 };
      const header = { ...committee.header(place), validatorsHash, nextValidatorsHash: validatorsHash };
      const blockHash = committee.add(header);
      node.effects = [];
      const proposal = { header, transactionHashes: [] };
      const above = { from: 0, view: toView(0), height: toHeight(3), blockHash };
      node.receive(committee.say({ kind: 'pre-prepare', ...above, proposal }), true);
      assert.deepEqual([...stateOf(node).slots.keys()], [2]);
      assert.deepEqual(votes(node), []);
      assert.equal(stateOf(node).grounds?.reason, 'invalid-proposal');
    }
  });

  test('carries nothing: a block on it that a driver calls valid is neither prepared nor final', () => {
    const { node, last } = withLastPrepared();
    const above = { height: toHeight(3), blockHash: 'e'.repeat(64) as Hash, parentHash: last.blockHash };
    const chain = [
      defined(stateOf(node).valid.get(last.blockHash), 'the last block'),
      { ...above, isLast: false },
    ];
    const signatures = [0, 2, 3].map((validator) => ({ validator, signature: '1'.repeat(128) as never }));
    const certificate = {
      phase: 'commit',
      epoch: toHeight(0),
      view: toView(0),
      ...above,
      signatures,
    } as const;
    node.step({ type: 'synced', chain, certificate: { engine: 'pbft', ...certificate } as never });
    assert.equal(node.finalHeight(), 1);
  });

  test('carries nothing while it is final and not on the disk, whoever proposes or proves what', () => {
    const committee = changing();
    committee.grow(1);
    const node = committee.node(2);
    node.holdCommits = true;
    committee.work();
    committee.run();
    const { final } = stateOf(node);
    assert.deepEqual([final.height, final.isLast, node.epoch()], [2, true, 0]);
    const place = { height: 3, parentHash: final.blockHash, view: 0, proposer: 0, salt: 7 };
    const validatorsHash = committee.setAt(2).validators.hash;
    const header = { ...committee.header(place), validatorsHash, nextValidatorsHash: validatorsHash };
    const blockHash = committee.add(header);
    const above = { view: toView(0), height: toHeight(3), blockHash };
    const proposal = { header, transactionHashes: [] };
    node.receive(committee.say({ kind: 'pre-prepare', from: 0, ...above, proposal }), true);
    assert.deepEqual([...stateOf(node).slots.keys()], [], 'it is not accepted');
    const signatures = [0, 1, 3].map((validator) => ({ validator, signature: '1'.repeat(128) as never }));
    const certificate = {
      engine: 'pbft',
      phase: 'commit',
      epoch: toHeight(0),
      ...above,
      signatures,
    } as const;
    const chain = [{ ...above, parentHash: final.blockHash, isLast: false }];
    node.step({ type: 'synced', chain, certificate: certificate as never });
    assert.equal(stateOf(node).final.height, 2, 'nor final by a certificate of the old set');
    assert.ok(!votes(node).some((key) => key.endsWith('/3')));
    node.releaseCommits();
    growAll(committee, 4);
  });

  test('ends it where it is applied, not where it is final', () => {
    const committee = changing();
    committee.grow(1);
    const node = committee.node(2);
    node.holdCommits = true;
    node.effects = [];
    committee.work();
    committee.run();
    assert.equal(stateOf(node).final.height, 2);
    assert.ok(!node.effects.some(({ type }) => type === 'members'));
    committee.work();
    committee.run();
    assert.ok(!votes(node).some((key) => key.endsWith('/3')), 'no vote before the block is on the disk');
    assert.ok(!node.effects.some((effect) => effect.type === 'build' && effect.height === 3));
    node.releaseCommits();
    assert.ok(node.effects.some((effect) => effect.type === 'members' && effect.epoch === 2));
    growAll(committee, 4);
  });

  test('may be the tip of a view: it is made final there, and the next epoch begins in view 0', () => {
    const committee = changing();
    committee.grow(1);
    committee.deliverable = (_from, _to, message) => message.kind !== 'commit' || message.view > 0;
    committee.work();
    committee.pass(3_000);
    const node = committee.node(2);
    const ended = defined(committee.certificateAt(2) ?? node.certificates.get(toHeight(2)), 'certificate');
    assert.ok('view' in ended && ended.view > 0, 'the block of the change became final in a later view');
    committee.deliverable = () => true;
    growAll(committee, 4);
    for (const each of committee.nodes) {
      assert.equal(stateOf(each).view, 0);
      assert.equal(each.epoch(), 2);
    }
  });
});

describe('across a restart', () => {
  test('the block on the disk says which epoch it is, and nothing is signed in an earlier one', () => {
    const committee = changing();
    growAll(committee, 3);
    const node = committee.node(3);
    node.crash();
    node.effects = [];
    node.restart();
    committee.work();
    committee.pass(1_000);
    assert.equal(stateOf(node).final.height, committee.node(1).finalHeight());
    assert.ok(votes(node).length > 0);
    for (const key of votes(node)) assert.equal(key.split('/')[1], '2', key);
  });

  test('records of an epoch that ended mean nothing, and go with the first write', () => {
    const committee = changing();
    committee.grow(1);
    const node = committee.node(3);
    // It leaves its view, and the last block of the epoch comes to its disk; then it dies, before it wrote more.
    committee.deliverable = (_from, _to, message) => message.kind !== 'commit';
    committee.work();
    committee.pass(1_500);
    assert.ok(stateOf(node).view > 0);
    const before = new Map(node.records);
    committee.deliverable = () => true;
    committee.pass(3_000);
    assert.equal(node.epoch(), 2);
    node.crash();
    node.records = before;
    node.written = Number(Buffer.from(before.get('node-written') ?? new Uint8Array()).toString());
    node.effects = [];
    node.restart();
    assert.equal(stateOf(node).view, 0);
    assert.ok(stateOf(node).highest === null || stateOf(node).highest?.epoch === 2);
    const left = [...node.records.keys()].filter((key) => key.includes('/') && key.split('/')[1] === '0');
    assert.deepEqual(left, []);
    growAll(committee, 5);
  });

  test('a NewView of an ended epoch that is still on the disk keeps nobody from opening the same view in this one', () => {
    const committee = changing(2, [0, 1, 2, 4]);
    growAll(committee, 3);
    const primary = committee.node(1);
    committee.deliverable = () => false;
    const begun = {
      view: toView(1),
      finalHeight: toHeight(0),
      finalCertificate: undefined,
      highest: undefined,
    };
    const old = [0, 1, 2].map((from) => committee.say({ kind: 'view-change', from, ...begun }) as ViewChange);
    const newView = committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges: old });
    primary.records.set('new-view/0/1', encodeMessage(newView));
    primary.crash();
    primary.restart();
    primary.effects = [];
    const { certificate, height } = stateOf(primary).final;
    for (const from of [0, 2, 3]) {
      const now = { ...begun, finalHeight: height, finalCertificate: certificate ?? undefined };
      primary.receive(committee.sayIn(2, { kind: 'view-change', from, ...now }));
    }
    assert.ok(votes(primary).includes('new-view/2/1'));
  });

  test('what was signed in an epoch that ended leaves the disk while the process goes on, too', () => {
    const committee = changing();
    growAll(committee, 4);
    const node = committee.node(1);
    const epochs = new Set(
      [...node.records.keys()].filter((key) => key.includes('/')).map((key) => key.split('/')[1]),
    );
    assert.deepEqual([...epochs], ['2']);
  });

  test('an operator’s word for the log holds in the next epoch', () => {
    const committee = changing();
    committee.grow(1);
    const node = committee.node(1);
    node.crash();
    node.start(false, 'vouched');
    growAll(committee, 4);
    assert.equal(node.epoch(), 2);
    assert.equal(stateOf(node).keyUse, 'vouched');
  });

  test('a crash of all between its certificate and the disk costs nothing', () => {
    for (let run = 0; run < 20; run++) {
      const committee = new Committee(5, { options, validators: 4, seed: run });
      committee.changes.set(2, [1, 2, 3, 4]);
      committee.grow(1);
      for (const node of committee.nodes) node.holdCommits = true;
      committee.work();
      committee.run(20 + run);
      // Some have it on their disks already.
      for (const node of committee.nodes) if (pick(committee.random, [true, false])) node.releaseCommits();
      for (const node of committee.nodes) node.crash();
      committee.wire = [];
      for (const node of committee.nodes) {
        node.holdCommits = false;
        node.restart();
      }
      growAll(committee, 4);
    }
  });

  test('a vote of an ended epoch that comes to the disk late never leaves, and is removed', () => {
    const committee = changing();
    committee.grow(1);
    const node = committee.node(3);
    node.holdPersists = true;
    committee.work();
    committee.pass(1_000);
    assert.equal(node.epoch(), 2, 'the others made it final');
    committee.wire = [];
    node.effects = [];
    node.releasePersists();
    const sent = node.effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.epoch] : []));
    assert.deepEqual(new Set(sent).has(toHeight(0)), false);
    growAll(committee, 5);
    const left = [...node.records.keys()].filter((key) => key.includes('/') && key.split('/')[1] === '0');
    assert.deepEqual(left, []);
  });
});

describe('what was said in one epoch', () => {
  test('means nothing in another: neither votes, nor Suspects, nor view changes; and costs nobody anything', () => {
    const committee = changing();
    const old: PbftMessage[] = [];
    committee.deliverable = (_from, _to, message) => {
      if (message.epoch === 0) old.push(message);
      return true;
    };
    committee.grow(1);
    for (const from of [0, 1, 2]) {
      old.push(committee.viewChange(from, 3));
      const suspect = { view: toView(0), reason: 'no-progress', height: toHeight(9), sequence: 9 } as const;
      old.push(committee.say({ kind: 'suspect', from, ...suspect }));
    }
    growAll(committee, 3);
    for (const node of committee.nodes) {
      const { view, viewChanges, suspects, tallies } = stateOf(node);
      const before = JSON.stringify([view, [...viewChanges], [...suspects], [...tallies.keys()]]);
      node.effects = [];
      for (const message of old) {
        assert.equal(defined(node.engine, 'engine').wants(message, true), false);
        node.force(message);
      }
      const after = stateOf(node);
      const now = [after.view, [...after.viewChanges], [...after.suspects], [...after.tallies.keys()]];
      assert.equal(JSON.stringify(now), before);
      assert.ok(!node.effects.some(({ type }) => type === 'evidence' || type === 'verdict'));
    }
  });

  test('means nothing when the same set comes back: its Suspects and view changes of then are of then', () => {
    const committee = changing(2, [1, 2, 3, 4]);
    committee.changes.set(4, [0, 1, 2, 3]);
    const old = [0, 1, 2].flatMap((from) => [
      committee.viewChange(from, 1, { finalHeight: toHeight(0), finalCertificate: undefined }),
      committee.say({
        kind: 'suspect',
        from,
        view: toView(0),
        reason: 'censorship',
        height: toHeight(1),
        sequence: 1,
      }),
    ]);
    growAll(committee, 6);
    const node = committee.node(3);
    assert.equal(node.epoch(), 4);
    assert.deepEqual(committee.setAt(6).validators.keys, committee.validators.keys, 'A, B, A');
    for (const message of old) {
      node.receive(message, true);
      node.force(message);
    }
    node.tick(200);
    assert.equal(stateOf(node).view, 0);
    assert.equal(stateOf(node).viewChanges.size, 0);
  });

  test('a certificate of the epoch before makes nothing final, also when its check ended late', () => {
    const committee = changing();
    growAll(committee, 3);
    const node = committee.node(2);
    const certificate = defined(node.certificates.get(toHeight(2)), 'certificate');
    const link = { height: toHeight(4), blockHash: 'e'.repeat(64) as Hash, parentHash: node.finalHash() };
    const forged = { ...certificate, height: link.height, blockHash: link.blockHash };
    node.step({ type: 'synced', chain: [{ ...link, isLast: false }], certificate: forged as never });
    assert.equal(node.finalHeight(), 3);
  });
});

describe('who was away', () => {
  test('goes through two changes of the set, and votes at the end', () => {
    const committee = changing(2, [1, 2, 3, 4]);
    committee.changes.set(5, [0, 1, 2, 3, 4]);
    const away = committee.node(3);
    committee.grow(1);
    away.crash();
    committee.grow(8);
    committee.pass(1_000);
    assert.ok(committee.node(0).finalHeight() >= 8);
    away.effects = [];
    away.restart();
    committee.pass(3_000);
    assert.equal(away.finalHeight(), committee.node(0).finalHeight());
    assert.equal(away.epoch(), 5);
    committee.deliverable = (from, to) => from !== 4 && to !== 4;
    const before = committee.node(0).finalHeight();
    committee.grow(before + 2);
    committee.pass(3_000);
    assert.ok(committee.node(0).finalHeight() >= before + 2, 'it is needed for a quorum of four of five');
    for (const key of votes(away)) assert.equal(key.split('/')[1], '5', key);
  });
});

describe('a key that comes to a running chain', () => {
  /** The fifth node begins with an empty log on a machine that knows of no use of its key. */
  function joining(epochSeen: boolean): Committee {
    const committee = changing(3, [0, 1, 2, 3, 4]);
    const node = committee.node(4);
    node.crash();
    node.records = new Map();
    node.epochSeen = epochSeen;
    node.start(false, 'new');
    return committee;
  }

  test('signs nothing while it only follows, and stays unproven', () => {
    const committee = joining(false);
    committee.grow(2);
    committee.pass(1_000);
    const node = committee.node(4);
    assert.ok(stateOf(node).unproven !== null);
    assert.deepEqual(votes(node), []);
  });

  test('nor does it learn while it follows that it is new: others may have it in an epoch that is to come', () => {
    const committee = joining(false);
    const node = committee.node(4);
    for (const from of [0, 1, 2]) {
      const beginning = { changing: false, finalHeight: toHeight(0), finalCertificate: undefined };
      node.receive(committee.say({ kind: 'status', from, view: toView(0), ...beginning }), true);
    }
    assert.deepEqual(stateOf(node).unproven, new Set());
  });

  test('votes at once in an epoch that began since its machine notes its use', () => {
    const committee = joining(true);
    const node = committee.node(4);
    // The others are ahead: it is told at once that something of the epoch is final.
    committee.deliverable = (_from, to) => to !== 4;
    committee.grow(5);
    committee.deliverable = () => true;
    committee.pass(500);
    growAll(committee, 7);
    assert.equal(stateOf(node).guard.name, 'off');
    assert.equal(stateOf(node).forgottenUpTo, 0);
    assert.ok(votes(node).some((key) => key.startsWith('commit/3/')));
  });

  test('without that votes when f + 1 say that nothing of the epoch is final with them', () => {
    const committee = joining(false);
    committee.grow(3);
    committee.pass(2_000);
    const node = committee.node(4);
    assert.equal(node.epoch(), 3);
    assert.equal(stateOf(node).unproven, null);
    assert.equal(stateOf(node).guard.name, 'off');
    growAll(committee, 5);
    assert.ok(votes(node).some((key) => key.startsWith('prepare/3/')));
  });

  test('asks, and votes above what all prove, when something of the epoch is final before it signed anything', () => {
    const committee = joining(false);
    const node = committee.node(4);
    committee.deliverable = (_from, to) => to !== 4;
    committee.grow(6);
    committee.pass(200);
    committee.deliverable = () => true;
    node.effects = [];
    committee.pass(2_000);
    assert.equal(stateOf(node).guard.name, 'silent', 'it may have voted, and lost its log');
    assert.deepEqual(votes(node), []);
    const until = stateOf(node).forgottenUpTo;
    assert.ok(until >= 6 + 2 * options.window);
    growAll(committee, until + 3);
    assert.equal(stateOf(node).guard.name, 'off', 'not for ever');
    const heights = votes(node).map((key) => Number(key.split('/')[3]));
    assert.ok(heights.length > 0 && heights.every((height) => height > until));
  });

  test('is held back over a restart', () => {
    const committee = joining(false);
    committee.grow(2);
    committee.pass(1_000);
    const node = committee.node(4);
    node.crash();
    node.start(false, 'whole');
    assert.ok(stateOf(node).unproven !== null, 'the log says that nobody knows');
  });
});

test('whoever lost its log asks anew in each epoch: what it signed may be of a later one than it knows', () => {
  const committee = new Committee(4, { options });
  committee.changes.set(3, [3, 2, 1, 0]);
  committee.grow(8);
  committee.pass(500);
  const lost = committee.node(2);
  assert.equal(lost.epoch(), 3);
  lost.loseDisk();
  lost.effects = [];
  // Of the first epoch it would learn from laggards only: from these it takes no leave to vote in the next.
  committee.deliverable = (_from, to, message) => to !== 2 || message.kind !== 'reply-stable';
  lost.restart();
  committee.pass(1_000);
  assert.equal(lost.epoch(), 3);
  assert.equal(stateOf(lost).guard.name, 'learning');
  assert.deepEqual(votes(lost), []);
  committee.deliverable = () => true;
  committee.pass(1_000);
  assert.equal(stateOf(lost).guard.name, 'silent');
  const until = stateOf(lost).forgottenUpTo;
  assert.ok(until >= 8 + 2 * options.window);
  growAll(committee, until + 3);
  assert.equal(stateOf(lost).guard.name, 'off');
  for (const key of votes(lost)) assert.ok(Number(key.split('/')[3] ?? until + 1) > until, key);
});

test('a silence that an earlier epoch ended in is no leave in the next one', () => {
  const committee = new Committee(4, { options });
  committee.grow(2);
  const lost = committee.node(1);
  lost.loseDisk();
  lost.restart();
  committee.pass(1_000);
  assert.equal(stateOf(lost).guard.name, 'silent');
  const at = lost.finalHeight() + 2;
  committee.changes.set(at, [0, 1, 3, 2]);
  committee.grow(at);
  committee.pass(200);
  assert.equal(lost.epoch(), at);
  assert.ok(['learning', 'silent'].includes(stateOf(lost).guard.name));
  assert.ok(stateOf(lost).guard.name === 'learning' || stateOf(lost).forgottenUpTo > at + options.window);
});
