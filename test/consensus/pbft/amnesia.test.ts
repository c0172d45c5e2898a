import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/base/codec.ts';
import { defined } from '../../../src/base/invariant.ts';
import { unwrap } from '../../../src/base/problem.ts';
import type { ValidatorIndex, Verified } from '../../../src/consensus/engine.ts';
import type { Draft, PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { hardStateCodec } from '../../../src/consensus/pbft/records.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import type { FinalityCertificate } from '../../../src/ledger/certificate.ts';
import { Committee, sign, type TestNode } from './harness.ts';

const window = 2;
const options = { window, blockIntervalMs: 0, statusMs: 500 };

function committeeAt(height: number): Committee {
  const committee = new Committee(4, { options });
  committee.grow(height);
  return committee;
}

/** Makes blocks until one at this height is final somewhere. */
const guardOf = (node: TestNode): string => node.engine?.state.guard.name ?? 'down';

/** What a restart would find of it. */
const guardOnDisk = (node: TestNode): string =>
  unwrap(decode(hardStateCodec, defined(node.records.get('position'), 'its position'), 'position')).guard;

/** Signs for a validator whatever one likes, and brings it to these. */
function say(committee: Committee, draft: Draft, ...to: ValidatorIndex[]): PbftMessage {
  const message = committee.say(draft);
  for (const index of to) committee.node(index).receive(message);
  return message;
}

test('the answers of a quorum of others are needed: it does not count itself', () => {
  const committee = committeeAt(5);
  const lost = committee.node(3);
  lost.loseDisk();
  // One is silent. With the one that asks it would be three.
  committee.deliverable = (from) => from !== 0;
  lost.restart();
  committee.pass(5_000);
  assert.equal(guardOf(lost), 'learning');
  assert.match(lost.engine?.why() ?? '', /2 of 3 others answered/);
  assert.match(lost.engine?.why() ?? '', /the consensus log was lost, or the key is new/);
  committee.deliverable = () => true;
  committee.pass(3_000);
  assert.equal(guardOf(lost), 'silent');
});

for (const n of [1, 2]) {
  test(`a chain of ${n} has too few others to ask, and its operator is told so`, () => {
    const committee = new Committee(n, { options });
    committee.grow(5);
    const lost = committee.node(0);
    lost.loseDisk();
    lost.restart();
    committee.pass(5_000);
    assert.equal(guardOf(lost), 'learning');
    const why = lost.engine?.why() ?? '';
    assert.match(why, /too few other validators to tell it .*--assume-first-use/);
    assert.doesNotMatch(why, /of \d others/);
  });
}

/** Of a chain that has only begun. */
const nothingFinal = (from: ValidatorIndex): Draft => ({
  kind: 'status',
  from,
  view: toView(0),
  changing: false,
  finalHeight: toHeight(0),
  finalCertificate: undefined,
});

test('what was said before the loss answers nothing, whoever sends it again', () => {
  const committee = new Committee(4, { options });
  const old = [0, 1, 2].map((from) => say(committee, nothingFinal(from)));
  committee.grow(10);
  const lost = committee.node(3);
  lost.loseDisk();
  committee.deliverable = () => false;
  lost.restart();
  for (const status of old) lost.receive(status);
  assert.equal(guardOf(lost), 'learning');
});

test('answers to the question of an earlier start count for nothing', () => {
  const committee = committeeAt(3);
  const lost = committee.node(3);
  lost.loseDisk();
  const answers: PbftMessage[] = [];
  committee.deliverable = (_, to, message) => {
    if (to === 3 && message.kind === 'reply-stable') answers.push(message);
    return to !== 3;
  };
  lost.restart();
  committee.pass(1_000);
  assert.equal(answers.length, 3);
  committee.grow(9);
  lost.crash();
  lost.restart();
  for (const answer of answers) {
    assert.equal(lost.engine?.wants(answer), false);
    lost.receive(answer);
  }
  assert.equal(guardOf(lost), 'learning');
});

test('who lost its own log answers nobody: it does not know how far it was', () => {
  const committee = committeeAt(5);
  for (const index of [2, 3]) {
    committee.node(index).loseDisk();
    committee.node(index).restart();
  }
  committee.pass(10_000);
  assert.deepEqual([guardOf(committee.node(2)), guardOf(committee.node(3))], ['learning', 'learning']);
});

test('a block that is prepared and not final counts, too: the one who asks may have committed it', () => {
  const committee = committeeAt(5);
  committee.deliverable = (_, __, { kind }) => kind !== 'commit';
  committee.work();
  committee.run();
  const lost = committee.node(3);
  lost.loseDisk();
  lost.restart();
  committee.pass(1_500);
  assert.equal(guardOf(lost), 'silent');
  assert.equal(lost.engine?.state.forgottenUpTo, 6 + 2 * window);
});

test('a question is answered now and then only, however often somebody sends it again', () => {
  const committee = committeeAt(2);
  const node = committee.node(0);
  node.effects = [];
  const asked = { kind: 'query-stable', from: 3, nonce: 77 } as const;
  for (let time = 0; time < 10; time++) {
    say(committee, asked, 0);
    committee.pass(100);
  }
  const posts = node.effects.flatMap((effect) =>
    effect.type === 'post' ? [sign(effect.message, 0).kind] : [],
  );
  assert.equal(posts.filter((kind) => kind === 'reply-stable').length, 1);
});

test('who asks on its own stream is answered, however often somebody sends an earlier question of it again', () => {
  const committee = committeeAt(2);
  const node = committee.node(0);
  const answersTo = (nonce: number, direct: boolean): number => {
    node.effects = [];
    node.receive(committee.say({ kind: 'query-stable', from: 3, nonce }), direct);
    return node.effects.filter(
      (effect) => effect.type === 'post' && sign(effect.message, 0).kind === 'reply-stable',
    ).length;
  };
  assert.equal(answersTo(77, false), 1);
  assert.equal(answersTo(77, false), 0);
  assert.equal(answersTo(78, true), 1);
  assert.equal(answersTo(78, true), 0, 'and now and then only');
});

test('at heights up to its silence it votes never again: not for the tip of a view, not after a restart', () => {
  const committee = committeeAt(5);
  const lost = committee.node(3);
  lost.loseDisk();
  lost.restart();
  committee.pass(2_500);
  const until = defined(lost.engine, 'engine').state.forgottenUpTo;
  committee.grow(until + 1);
  committee.pass(2_500);
  assert.equal(guardOf(lost), 'off');
  assert.equal(lost.engine?.state.forgottenUpTo, until);
  lost.crash();
  lost.restart();
  assert.equal(lost.engine?.state.forgottenUpTo, until);
  assert.equal(guardOf(lost), 'off');
  // A new view whose tip is a block at or below: it is final here, and others would need votes for it.
  lost.effects = [];
  const state = defined(lost.engine, 'engine').state;
  const slot = { height: toHeight(until), blockHash: defined(lost.chain.get(toHeight(until)), 'block') };
  const signatures = [0, 1, 2].map((validator) => ({
    validator,
    signature: say(committee, { kind: 'prepare', from: validator, view: toView(0), ...slot }).signature,
  }));
  const highest = { phase: 'prepare', epoch: toHeight(0), view: toView(0), ...slot, signatures } as const;
  const below = toHeight(until - 1);
  const finalCertificate = defined(committee.node(0).certificates.get(below), 'certificate');
  assert.equal(finalCertificate.engine, 'pbft');
  const viewChanges = [0, 1, 2].map(
    (from) =>
      say(committee, {
        kind: 'view-change',
        from,
        view: toView(1),
        finalHeight: below,
        finalCertificate: finalCertificate.engine === 'pbft' ? finalCertificate : undefined,
        highest,
      }) as ViewChange,
  );
  say(committee, { kind: 'new-view', from: 1, view: toView(1), viewChanges }, 3);
  assert.equal(state.view, 1);
  assert.deepEqual(
    lost.signed().filter((key) => key !== ''),
    [],
  );
});

test('its silence ends at a start, too, when the crash came before that was recorded', () => {
  const committee = committeeAt(5);
  const lost = committee.node(3);
  lost.loseDisk();
  lost.restart();
  committee.pass(2_500);
  lost.holdPersists = true;
  committee.grow(5 + 2 * window + 2);
  committee.pass(2_500);
  assert.ok(lost.finalHeight() > 5 + 2 * window);
  lost.crash();
  lost.holdPersists = false;
  lost.restart();
  assert.equal(guardOf(lost), 'off');
});

/**
 * Replica 0, whose silence ended with a block that was not stored when it crashed; started again, it hears nobody.
 */
function cutOffAfterItsSilence(): { committee: Committee; lost: TestNode; until: number } {
  const committee = new Committee(4, { options: { ...options, blocksPerPrimary: 10 } });
  committee.grow(10);
  const lost = committee.node(0);
  lost.loseDisk();
  lost.holdCommits = true;
  lost.restart();
  committee.pass(2_500);
  const until = defined(lost.engine, 'engine').state.forgottenUpTo;
  committee.grow(until + 1);
  assert.equal(guardOnDisk(lost), 'off');
  lost.crash();
  lost.holdCommits = false;
  committee.deliverable = () => false;
  lost.restart();
  lost.effects = [];
  assert.equal(lost.finalHeight(), 0);
  return { committee, lost, until };
}

test('what ended its silence is on disk with the end of it: it answers, and leaves views, as one that knows it', () => {
  const { committee, lost, until } = cutOffAfterItsSilence();
  say(committee, { kind: 'query-stable', from: 3, nonce: 77 }, 0);
  for (const from of [1, 2]) lost.receive(committee.viewChange(from, 1, { finalHeight: toHeight(0) }));
  const said = lost.effects.flatMap((effect) => {
    if (effect.type === 'post') return [sign(effect.message, 0)];
    return effect.type === 'persist' ? effect.sign.map((unsigned) => sign(unsigned, 0)) : [];
  });
  const reported = said.flatMap((message) =>
    message.kind === 'reply-stable' || message.kind === 'view-change'
      ? [[message.kind, message.highest?.height]]
      : [],
  );
  assert.deepEqual(reported, [
    ['reply-stable', until + 1],
    ['view-change', until + 1],
  ]);
});

test('at heights up to its silence it proposes nothing either, though it is its turn', () => {
  const { committee, lost } = cutOffAfterItsSilence();
  committee.work();
  lost.tick(1_000);
  assert.deepEqual(lost.signed(), []);
  assert.ok(!lost.effects.some(({ type }) => type === 'build'));
});

test('an old copy of the log is a lost one', () => {
  const committee = committeeAt(4);
  const node = committee.node(3);
  const copy = new Map(node.records);
  committee.grow(6);
  node.crash();
  node.records = copy;
  node.restart();
  assert.equal(guardOf(node), 'learning');
  assert.equal(node.engine?.status().voting, false);
});

test('a key of which this machine knows no use does not vote at once on a chain that runs', () => {
  const committee = committeeAt(5);
  const node = committee.node(3);
  node.loseDisk();
  node.written = 0;
  node.start(false, 'new');
  assert.equal(node.engine?.status().voting, true, 'it has heard nobody yet');
  node.effects = [];
  committee.work();
  committee.pass(3_000);
  assert.equal(guardOf(node), 'silent');
  assert.deepEqual(
    node.signed().filter((key) => key !== ''),
    [],
  );
  node.crash();
  node.start(false, 'new');
  assert.equal(guardOf(node), 'silent');
});

test('that the chain runs is known after a restart, too, though nothing is final here and nobody was asked yet', () => {
  const committee = committeeAt(5);
  const node = committee.node(3);
  node.loseDisk();
  node.written = 0;
  node.start(false, 'new');
  committee.deliverable = () => false;
  const finalCertificate = committee.certificateAt(5);
  say(committee, { ...nothingFinal(0), finalHeight: toHeight(5), finalCertificate } as Draft, 3);
  assert.deepEqual([guardOf(node), guardOnDisk(node)], ['learning', 'learning']);
  node.crash();
  node.start(false, 'new');
  assert.equal(node.engine?.status().voting, false);
});

test('on a chain that has not begun it votes at once, even when it is the last to vote for the first block', () => {
  const committee = new Committee(4, { options });
  for (const node of committee.nodes) {
    node.crash();
    node.records = new Map();
    node.start(false, 'new');
  }
  const late = committee.node(3);
  late.receive(committee.say(nothingFinal(0)), true);
  late.receive(committee.say(nothingFinal(1)), false);
  assert.ok(
    late.engine?.state.unproven !== null,
    'one may lie, and what is not on its own stream may be old',
  );
  late.receive(committee.say(nothingFinal(1)), true);
  assert.equal(late.engine?.state.unproven, null);
  assert.equal(guardOnDisk(late), 'off', 'that holds, however the chain goes on before it is started again');
  committee.deliverable = (_, to, { kind }) => to !== 3 || kind !== 'pre-prepare';
  committee.grow(2);
  committee.pass(3_000);
  assert.equal(late.finalHeight(), 2);
  assert.equal(guardOf(late), 'off');
});

test('an operator’s word ends the guard at any start, and for good', () => {
  const committee = committeeAt(4);
  const node = committee.node(3);
  node.loseDisk();
  committee.deliverable = () => false;
  node.restart();
  assert.equal(guardOf(node), 'learning');
  node.crash();
  node.start(true);
  assert.equal(guardOf(node), 'off');
  node.crash();
  node.restart();
  assert.equal(guardOf(node), 'off', 'a start later it needs no word any more');
});

test('nor does it hold back votes at the heights that the silence was for', () => {
  const committee = committeeAt(5);
  silent(committee);
  const node = committee.node(3);
  node.crash();
  node.start(true);
  assert.deepEqual([guardOf(node), node.engine?.state.forgottenUpTo], ['off', 0]);
  node.crash();
  node.restart();
  assert.equal(node.engine?.state.forgottenUpTo, 0, 'a start later, too');
});

test('more than f lost logs: the chain stands, says why, and goes on at the word of the operators', () => {
  const committee = committeeAt(4);
  for (const index of [2, 3]) {
    const node = committee.node(index);
    node.crash();
    node.records = new Map();
    node.restart();
  }
  committee.pass(3_000);
  committee.work();
  committee.pass(5_000);
  assert.deepEqual(committee.heights(), [4, 4, 4, 4]);
  const whole = committee.node(0);
  assert.equal(whole.engine?.status().quorumContact, false, 'too few of those that are heard may vote');
  assert.match(
    whole.engine?.why() ?? '',
    /validators 2, 3 do not vote: they do not know what their keys signed before/,
  );
  for (const index of [2, 3]) {
    committee.node(index).crash();
    committee.node(index).start(true);
  }
  committee.pass(30_000);
  assert.ok(Math.min(...committee.heights()) > 4, committee.heights().join(' '));
  assert.equal(whole.engine?.status().quorumContact, true);
});

/**
 * Validator 3 promised to leave view 0, and one liar (1) holds its ViewChange. Its log is lost, the chain goes on in view 0 with the
 * liar's votes, and 3 votes again there.
 */
function promiseForgotten(): { committee: Committee; promise: ViewChange } {
  const committee = committeeAt(4);
  const node = committee.node(3);
  let promise: PbftMessage | null = null;
  committee.deliverable = (from, to, message) => {
    if (from === 3 && message.kind === 'view-change') promise = message;
    return from !== 3 && to !== 3;
  };
  committee.work();
  committee.pass(3_000);
  say(
    committee,
    { kind: 'suspect', from: 1, view: toView(0), reason: 'no-progress', sequence: 1, height: toHeight(5) },
    3,
  );
  committee.pass(1_000);
  assert.ok(promise !== null);
  node.loseDisk();
  committee.wire = [];
  committee.deliverable = () => true;
  node.restart();
  committee.pass(2_500);
  assert.equal(guardOf(node), 'silent');
  committee.grow(5 + 2 * window + 2);
  committee.pass(2_500);
  assert.equal(guardOf(node), 'off');
  assert.deepEqual(new Set(committee.nodes.map(({ engine }) => engine?.state.view)), new Set([0]));
  return { committee, promise };
}

test('a ViewChange from before the loss does not start a view that hides what was voted for after it', () => {
  const { committee, promise } = promiseForgotten();
  const [zero, , two, three] = committee.nodes as [TestNode, TestNode, TestNode, TestNode];
  // One more block: 3 makes it final, with the commits of 2 and of the liar. 2 does not hear of that, and 0 nothing of the others.
  const height = toHeight(three.finalHeight() + 1);
  committee.deliverable = (_, to, { kind }) =>
    to === 3 || (kind === 'pre-prepare' ? to === 2 : kind === 'prepare' && to === 2);
  committee.work();
  committee.run();
  // The liar helps where the primary is left out of it.
  const blockHash = defined(three.engine?.state.slots.get(height) ?? null, 'the block').blockHash;
  assert.equal(three.finalHeight(), height - 1);
  committee.node(1).crash();
  for (const kind of ['prepare', 'commit'] as const) {
    say(committee, { kind, from: 1, view: toView(0), height, blockHash }, 2, 3);
  }
  committee.run();
  assert.equal(three.finalHeight(), height, 'final at 3');
  assert.equal(two.finalHeight(), height - 1);
  // The liar opens view 1 with its own ViewChange, that of a validator that knows nothing of the block, and the old one of 3.
  const final = { finalHeight: two.finalHeight(), certificate: two.certificates.get(two.finalHeight()) };
  assert.ok(final.certificate?.engine === 'pbft');
  const [mine, innocent] = [1, 0].map(
    (from) =>
      say(committee, {
        kind: 'view-change',
        from,
        view: toView(1),
        finalHeight: final.finalHeight,
        finalCertificate: final.certificate?.engine === 'pbft' ? final.certificate : undefined,
        highest: undefined,
      }) as ViewChange,
  ) as [ViewChange, ViewChange];
  const viewChanges = [innocent, mine, promise];
  committee.deliverable = () => false;
  say(committee, { kind: 'new-view', from: 1, view: toView(1), viewChanges }, 0, 2, 3);
  for (const node of [zero, two, three])
    assert.equal(node.engine?.state.newView, null, `${node.index} does not enter`);
  // They join the others who change to it. What 3 says then is news, and not what somebody shows it of before.
  assert.equal(three.engine?.state.viewChanges.get(3)?.view, 1);
  assert.notEqual(three.engine.state.viewChanges.get(3)?.signature, promise.signature);
  assert.equal(three.engine.state.viewChanges.get(3)?.finalHeight, height);
});

test('an honest primary waits for fresh ViewChanges rather than take an outdated one', () => {
  const { committee, promise } = promiseForgotten();
  const one = committee.node(1);
  committee.deliverable = () => false;
  committee.work();
  committee.pass(3_000);
  for (const from of [0, 2]) {
    say(
      committee,
      {
        kind: 'suspect',
        from,
        view: toView(0),
        reason: 'no-progress',
        sequence: 1,
        height: toHeight(one.finalHeight() + 1),
      },
      1,
    );
  }
  one.effects = [];
  one.receive(promise);
  const final = one.certificates.get(one.finalHeight());
  assert.ok(final?.engine === 'pbft');
  const fresh = (from: ValidatorIndex): PbftMessage =>
    say(
      committee,
      {
        kind: 'view-change',
        from,
        view: toView(1),
        finalHeight: one.finalHeight(),
        finalCertificate: final,
        highest: undefined,
      },
      1,
    );
  fresh(0);
  assert.ok(
    !one
      .signed()
      .filter((key) => key !== '')
      .includes('new-view/0/1'),
    'three ViewChanges, one of them outdated',
  );
  fresh(2);
  assert.ok(
    one
      .signed()
      .filter((key) => key !== '')
      .includes('new-view/0/1'),
  );
});

test('a validator that lost its log is not accused of what it forgot, and a liar that forgets still is', () => {
  const { committee, promise } = promiseForgotten();
  const zero = committee.node(0);
  committee.deliverable = (_, __, { kind }) => kind !== 'prepare';
  committee.work();
  committee.run();
  const height = toHeight(zero.finalHeight() + 1);
  const { blockHash } = defined(zero.engine?.state.slots.get(height), 'the block');
  zero.receive(promise);
  say(committee, { kind: 'commit', from: 3, view: toView(0), height, blockHash }, 0);
  const accused = (): string[] => [...(zero.engine?.state.accused ?? [])];
  assert.deepEqual(accused(), []);
  say(committee, { kind: 'commit', from: 2, view: toView(0), height, blockHash }, 0);
  const final = zero.certificates.get(zero.finalHeight());
  assert.ok(final?.engine === 'pbft');
  const denial = { finalHeight: zero.finalHeight(), finalCertificate: final, highest: undefined };
  say(committee, { kind: 'view-change', from: 2, view: toView(1), ...denial }, 0);
  assert.deepEqual(accused(), ['2/forgotten-commit']);
});

test('whoever comes back late enters the view in which others made blocks long since', () => {
  const committee = committeeAt(3);
  const away = committee.node(3);
  committee.deliverable = (from, to) => from !== 3 && to !== 3 && from !== 0;
  committee.work();
  committee.pass(10_000);
  committee.deliverable = (from, to) => from !== 3 && to !== 3;
  committee.grow(20);
  assert.ok((committee.node(1).engine?.state.view ?? 0) > 0);
  committee.deliverable = () => true;
  committee.pass(5_000);
  assert.equal(away.finalHeight(), committee.node(1).finalHeight());
  assert.equal(away.engine?.state.view, committee.node(1).engine?.state.view);
  assert.equal(away.engine?.state.phase.name, 'normal');
});

/** Node 3 lost its log, is silent, and hears nothing; the others go on. Returns up to where it is silent. */
function silent(committee: Committee): number {
  const lost = committee.node(3);
  lost.loseDisk();
  lost.restart();
  committee.pass(3_000);
  assert.equal(guardOf(lost), 'silent');
  committee.deliverable = (_, to) => to !== 3;
  return lost.engine?.state.forgottenUpTo ?? assert.fail();
}

/** It gets the final blocks up to this height. */
function bringUpTo(committee: Committee, height: number): void {
  const lost = committee.node(3);
  const source = committee.node(0);
  const chain = [...source.chain]
    .filter(([at]) => at > lost.finalHeight() && at <= height)
    .sort(([a], [b]) => a - b)
    .map(([at, blockHash]) => {
      const parentHash = defined(committee.blocks.get(blockHash), 'a block').parentHash;
      return { height: at, blockHash, parentHash, isLast: false };
    });
  const certificate = defined(source.certificates.get(toHeight(height)), 'its certificate');
  lost.step({ type: 'synced', chain, certificate: certificate as Verified<FinalityCertificate> });
  assert.equal(lost.finalHeight(), height);
}

test('it is silent until a block above all of that is final, and no block earlier', () => {
  const committee = committeeAt(5);
  const until = silent(committee);
  committee.grow(until + 1);
  bringUpTo(committee, until);
  assert.equal(guardOf(committee.node(3)), 'silent');
  bringUpTo(committee, until + 1);
  const lost = committee.node(3);
  assert.equal(guardOf(lost), 'off');
  assert.equal(guardOnDisk(lost), 'off', 'or it would ask anew in the next epoch');
});

test('a view that it entered when it knew less is closed when it votes again', () => {
  const committee = committeeAt(5);
  const until = silent(committee);
  const lost = committee.node(3);
  const viewChanges = [0, 1, 2].map((from) => committee.viewChange(from, 1) as ViewChange);
  lost.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.deepEqual([lost.engine?.state.view, lost.engine?.state.phase.name], [1, 'normal']);
  committee.grow(until + 1);
  bringUpTo(committee, until + 1);
  assert.equal(guardOf(lost), 'off');
  // One of those ViewChanges may be its own of before the loss, which hides what it voted for after that.
  assert.deepEqual([lost.engine?.state.view, lost.engine?.state.phase.name], [1, 'changing']);
  const closed = lost.effects.findIndex((effect) => effect.type === 'trace' && effect.event === 'close-view');
  const written = lost.effects.slice(closed).find((effect) => effect.type === 'persist');
  assert.deepEqual(written?.sign, [], 'that is on its way to the disk before anything else is signed');
  assert.ok(written.records.some(({ key }) => key === 'position'));
  committee.deliverable = () => false;
  lost.crash();
  lost.restart();
  assert.deepEqual([lost.engine?.state.view, lost.engine?.state.phase.name], [1, 'changing'], 'and stays so');
});

test('a view that is closed by what its own NewView proves does not take its tip', () => {
  const committee = committeeAt(5);
  const until = silent(committee);
  const lost = committee.node(3);
  committee.grow(until);
  bringUpTo(committee, until);
  // It holds the next block, and hears no vote for it.
  committee.deliverable = (_, to, { kind }) => to !== 3 || kind === 'pre-prepare';
  committee.grow(until + 2);
  assert.equal(guardOf(lost), 'silent');
  // A liar takes the oldest ViewChange that the lost one cannot know to be outdated before it knows the base.
  const viewChanges = [
    committee.viewChange(0, 1, {
      finalHeight: toHeight(until + 1),
      highest: committee.certificateAt(until + 2),
    }),
    committee.viewChange(1, 1, { finalHeight: toHeight(until + 1) }),
    committee.viewChange(2, 1, { finalHeight: toHeight(until - window) }),
  ] as ViewChange[];
  lost.receive(committee.say({ kind: 'new-view', from: 1, view: toView(1), viewChanges }));
  assert.equal(lost.finalHeight(), until + 1);
  assert.equal(guardOf(lost), 'off');
  assert.deepEqual([lost.engine?.state.view, lost.engine?.state.phase.name], [1, 'changing']);
});
