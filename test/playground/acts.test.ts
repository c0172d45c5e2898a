import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Act, playedLiars } from '../../src/playground/act.ts';
import { PlayHost, replay } from '../../src/playground/host.ts';
import { firstSetting, type Setting } from '../../src/playground/setting.ts';
import type { RunView } from '../../src/playground/view.ts';

const quiet: Setting = { ...firstSetting, load: 'none' };
const raft3: Setting = { ...quiet, engine: 'raft', nodes: [null, null, null] };

/** What is done at a moment, as a lesson says it. */
const done = (setting: Setting, ...acts: readonly (readonly [at: number, act: Act])[]): Setting => ({
  ...setting,
  edits: acts.map(([at, act]) => ({ event: 0, at, act })),
});

async function played(setting: Setting, until: number): Promise<RunView> {
  const host = new PlayHost(setting);
  await host.playTo(until);
  return host.look();
}

const xOf = ({ nodes }: RunView): (string | null)[] => nodes.map(({ inside }) => inside?.x ?? null);

describe('what somebody does to a cluster', () => {
  test('comes at its moment, however the run is played', async () => {
    const setting = done(
      quiet,
      [1_000, { kind: 'write', node: 1, value: 5 }],
      [1_100, { kind: 'crash', node: 0 }],
      [1_100, { kind: 'cut', node: 1, other: 2 }],
      [3_000, { kind: 'start', node: 0 }],
      [3_500, { kind: 'mend', node: 1, other: 2 }],
    );
    const whole = await played(setting, 6_000);
    assert.deepEqual(xOf(whole), ['5', '5', '5', '5']);
    const pieces = new PlayHost(setting);
    for (let until = 0; until <= 6_000; until += 7) await pieces.playTo(until);
    await pieces.playTo(6_000);
    assert.equal(pieces.look().trace, whole.trace);
    const steps = new PlayHost(setting);
    while (steps.events < whole.events) await steps.playToEvent(steps.events + 1);
    assert.equal(steps.look().trace, whole.trace);
  });

  test('comes again when somebody went back before it, and goes on', async () => {
    const host = new PlayHost(quiet);
    await host.playTo(1_000);
    const before = host.look();
    host.act({ kind: 'write', node: 1, value: 5 });
    await host.playTo(3_000);
    const { trace } = host.look();
    const here = await replay({ ...host.setting, edits: host.edits }, before.events);
    const isGiven = (line: string): boolean => line.endsWith('by hand: node 1 is given x = 5');
    assert.ok(here.look().lines.some(isGiven), 'what was done there is done');
    const again = await replay({ ...host.setting, edits: host.edits }, before.events - 1);
    assert.ok(!again.look().lines.some(isGiven));
    await again.playTo(3_000);
    assert.equal(again.look().trace, trace);
    const other = await replay({ ...host.setting, edits: host.edits }, before.events - 1);
    other.act({ kind: 'write', node: 1, value: 6 });
    await other.playTo(3_000);
    assert.deepEqual(xOf(other.look()), ['6', '6', '6', '6'], 'and not when something else was done');
  });

  test('loses all that was not synced, where it is a loss of power', async () => {
    const setting = done(quiet, [1_000, { kind: 'write', node: 0, value: 5 }]);
    const probe = new PlayHost(setting);
    const moments: number[] = [];
    for (let moment = 1_000; moment < 1_200; moment++) {
      await probe.playTo(moment);
      if ((probe.look().nodes[0]?.disk.unsynced ?? 0) > 0) moments.push(moment);
    }
    assert.ok(moments.length > 3, 'something was under way');
    const keptBy = async (kind: 'crash' | 'lose', moment: number): Promise<number> => {
      const host = new PlayHost(setting);
      await host.playTo(moment);
      const before = host.look().nodes[0]?.disk.written ?? 0;
      host.act({ kind, node: 0 });
      const { written = 0, unsynced } = host.look().nodes[0]?.disk ?? {};
      assert.equal(unsynced, 0);
      return written - before;
    };
    let kept = 0;
    for (const moment of moments) {
      assert.equal(await keptBy('lose', moment), 0, `at ${moment}`);
      kept += await keptBy('crash', moment);
    }
    assert.ok(kept > 0, 'a kill loses a part only');
  });

  test('a client is answered by the rules of the API, and by nobody where nobody is', async () => {
    const { lines } = await played(
      done(
        raft3,
        [2_000, { kind: 'write', node: 0, value: 5 }],
        [3_000, { kind: 'read', node: 2 }],
        [4_000, { kind: 'crash', node: 0 }],
        [4_000, { kind: 'crash', node: 1 }],
        [4_000, { kind: 'read', node: 0 }],
        [7_000, { kind: 'write', node: 2, value: 6 }],
        [7_000, { kind: 'read', node: 2 }],
      ),
      20_000,
    );
    const answers = lines
      .filter((line) => /asked|answer/.test(line))
      .map((line) => line.replace(/^\d+ /, ''));
    assert.deepEqual(
      answers.filter((line) => !line.startsWith('by hand')),
      [
        'node 0: asked to write x = 5: taken, not final yet',
        'node 2: asked for the newest x: x = 5, of height 2',
        'node 0: does not answer its client',
        'node 2: asked to write x = 6: refused, no leader is known: nothing was taken',
        'node 2: asked for the newest x: refused, no leader is known, or it has no majority; its own, stale: x = 5, of height 2',
      ],
    );
  });

  test('an adversary holds back a kind of message, and lets go of it', async () => {
    const host = new PlayHost(
      done(
        quiet,
        [1_000, { kind: 'hold', what: 'commit' }],
        [1_000, { kind: 'hold', what: 'commit' }],
        [1_000, { kind: 'write', node: 0, value: 5 }],
      ),
    );
    await host.playTo(1_500);
    const { held, carried, nodes } = host.look();
    assert.deepEqual(held, ['commit']);
    const commits = carried.filter(({ kind }) => kind === 'commit');
    assert.ok(commits.length > 0 && commits.every(({ arrivals }) => arrivals.length === 0));
    assert.deepEqual(
      nodes.map(({ inside }) => inside?.entries.map(({ state }) => state)),
      Array.from({ length: 4 }, () => ['prepared']),
    );
    host.act({ kind: 'release', what: 'commit' });
    await host.playTo(6_000);
    const after = host.look();
    assert.deepEqual(after.held, []);
    assert.deepEqual(xOf(after), ['5', '5', '5', '5']);
  });

  test('that nobody can do is left out: a node that is not there, a liar of Raft', async () => {
    const host = new PlayHost(raft3);
    for (const act of [
      { kind: 'crash', node: 3 },
      { kind: 'cut', node: 0, other: 5 },
      { kind: 'lie', node: 0, liar: 'silent' },
    ] as const) {
      host.act(act);
    }
    await host.playTo(3_000);
    const { lines, nodes } = host.look();
    assert.ok(!lines.some((line) => line.includes('by hand')));
    assert.ok(nodes.every(({ state, liar }) => state === 'running' && liar === null));
  });

  test('with all nodes down nothing happens, and a step waits for nothing', async () => {
    const host = new PlayHost(quiet);
    for (const node of [0, 1, 2, 3]) host.act({ kind: 'crash', node });
    await host.playTo(5_000);
    const { events } = host.look();
    await host.playToEvent(events + 100_000);
    assert.equal(host.look().isOver, false);
    host.act({ kind: 'start', node: 0 });
    await host.playTo(host.look().now + 1_000);
    assert.equal(host.look().nodes[0]?.state, 'running');
  });
});

describe('a node that turns into a liar in the middle of a run', () => {
  for (const liar of playedLiars) {
    test(`breaks no promise while it is one of four: ${liar}`, async () => {
      const { breach, nodes, lines } = await played(
        done({ ...firstSetting, seed: 2 }, [1_500, { kind: 'lie', node: 0, liar }]),
        4_000,
      );
      assert.equal(breach, null, breach?.message);
      assert.deepEqual(
        nodes.map((node) => node.liar),
        [liar, null, null, null],
      );
      assert.ok(lines.some((line) => line.includes('by hand: node 0 begins to lie')));
    });
  }

  test('is named with proof when it contradicts itself, and the others go on', async () => {
    const { breach, nodes } = await played(
      done(firstSetting, [2_000, { kind: 'lie', node: 0, liar: 'equivocate' }]),
      8_000,
    );
    assert.equal(breach, null);
    for (const { inside, height } of nodes.slice(1)) {
      assert.equal(inside?.view, 1);
      assert.ok(inside.ballots.includes('has proof against 0: double-pre-prepare'));
      assert.ok(height > 5);
    }
  });

  test('can break the promise past f of them: both final blocks are shown, and who signed for both', async () => {
    const host = new PlayHost({ ...firstSetting, nodes: [null, null, null], seed: 4 });
    host.act({ kind: 'lie', node: 0, liar: 'equivocate' });
    await host.playTo(10_000);
    const { breach, isOver } = host.look();
    assert.equal(breach?.guarantee, 'agreement');
    assert.ok(isOver);
    const { conflict } = breach;
    assert.deepEqual(conflict?.signedBoth, [0]);
    const [a, b] = conflict.blocks;
    assert.notEqual(a.blockHash, b.blockHash);
    assert.notEqual(a.node, b.node);
    for (const { signers, view, transactions } of [a, b]) {
      assert.equal(signers.length, 2);
      assert.ok(view !== null && transactions !== null);
    }
  });
});

describe('what is to be seen of a run', () => {
  test('of PBFT: each message with what it says, each block with who voted for it', async () => {
    const host = new PlayHost(done(quiet, [1_000, { kind: 'write', node: 0, value: 5 }]));
    await host.playTo(1_120);
    const { carried, nodes } = host.look();
    const says = (kind: string) => carried.find((one) => one.kind === kind)?.text ?? '';
    assert.match(says('pre-prepare'), /^block 1 \(\w{6}\), view 0, 1 transactions$/);
    assert.match(says('prepare'), /^block 1 \(\w{6}\), view 0$/);
    assert.match(says('status'), /^view 0, final 0$/);
    const [primary, backup] = nodes;
    assert.deepEqual([primary?.inside?.role, backup?.inside?.role], ['primary', 'backup']);
    const [block] = backup?.inside?.entries ?? [];
    assert.equal(block?.height, 1);
    assert.ok(block.votes.find(({ of }) => of === 'prepare')?.from.includes(0));
    await host.playTo(3_000);
    const [final] = host.look().nodes[1]?.inside?.entries ?? [];
    assert.equal(final?.state, 'final');
    assert.equal(final.votes[0]?.from.length, 3, 'its certificate');
  });

  test('of Raft: who voted for whom, and on whose disk a block is', async () => {
    const host = new PlayHost(
      done(
        raft3,
        [2_000, { kind: 'cut', node: 1, other: 0 }],
        [2_000, { kind: 'cut', node: 1, other: 2 }],
        [2_050, { kind: 'write', node: 1, value: 5 }],
      ),
    );
    await host.playTo(2_500);
    const { nodes, carried } = host.look();
    const votes = carried.flatMap(({ kind, text }) => (kind === 'vote' ? [text] : []));
    assert.ok(votes.includes('term 0 (before a campaign): yes') && votes.includes('term 1: yes'));
    const [follower, leader] = nodes;
    assert.equal(leader?.inside?.role, 'leader');
    assert.deepEqual(follower?.inside?.ballots, ['voted for 1 in term 1']);
    const entries = leader.inside.entries.map(({ height, state, votes }) => ({
      height,
      state,
      from: votes[0]?.from,
    }));
    assert.deepEqual(entries, [
      { height: 1, state: 'committed', from: [0, 1, 2] },
      { height: 2, state: 'on disk', from: [1] },
    ]);
    await host.playTo(4_000);
    assert.deepEqual(host.look().nodes[1]?.inside?.role, 'candidate');
  });

  test('a clock is off by what somebody put it', async () => {
    const { nodes } = await played(
      done(
        quiet,
        [100, { kind: 'clock', node: 2, ms: 60_000 }],
        [200, { kind: 'clock', node: 2, ms: -5_000 }],
      ),
      300,
    );
    assert.deepEqual(
      nodes.map(({ clockMs }) => clockMs),
      [0, 0, 55_000, 0],
    );
  });
});
