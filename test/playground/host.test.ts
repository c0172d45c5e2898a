import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { PlayHost, replay } from '../../src/playground/host.ts';
import { type Act, editFrom, playedLiars } from '../../src/playground/act.ts';
import { openedFrom } from '../../src/playground/opened.ts';
import { firstSetting, planOf, queryOf, type Setting } from '../../src/playground/setting.ts';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import { simulate } from '../../src/simulator/run/simulation.ts';
import { playAddress } from '../../src/simulator/run/verdict.ts';

const heightsOf = (host: PlayHost): number[] => host.look().nodes.map(({ height }) => height);

describe('a run that is played with', () => {
  test('is the run of quorate simulate, in whatever steps it is played', async () => {
    for (const [engine, seed] of [
      ['pbft', 3],
      ['raft', 5],
    ] as const) {
      const { verdict } = await simulate({ ...drawPlan(seed, engine), signatures: 'fast' });
      const setting: Setting = { ...firstSetting, plan: 'drawn', engine, seed };
      const whole = new PlayHost(setting);
      await whole.playTo(1e9);
      assert.equal(whole.look().trace, verdict.trace);
      const inPieces = new PlayHost(setting);
      for (let until = 0; !inPieces.look().isOver; until += 33) await inPieces.playTo(until);
      assert.equal(inPieces.look().trace, verdict.trace);
      const byEvent = new PlayHost(setting);
      await byEvent.playToEvent(Infinity);
      assert.equal(byEvent.look().trace, verdict.trace);
    }
  });

  test('comes again with all that was done to it, to the event', async () => {
    for (const engine of ['pbft', 'raft'] as const) {
      const host = new PlayHost({ ...firstSetting, engine });
      const acts: readonly Act[] = [
        { kind: 'crash', node: 0 },
        { kind: 'cut', node: 1, other: 2 },
        { kind: 'start', node: 0 },
        { kind: 'pause', node: 3 },
        { kind: 'clock', node: 2, ms: 60_000 },
        { kind: 'mend', node: 1, other: 2 },
        { kind: 'resume', node: 3 },
        { kind: 'wipe', node: 1 },
        { kind: 'write', node: 2, value: 5 },
        { kind: 'hold', what: engine === 'pbft' ? 'commit' : 'accepted' },
        { kind: 'lose', node: 3 },
        { kind: 'release', what: engine === 'pbft' ? 'commit' : 'accepted' },
        { kind: 'start', node: 3 },
        { kind: 'read', node: 2 },
        { kind: 'clock', node: 2, ms: -60_000 },
      ];
      for (const [index, act] of acts.entries()) {
        await host.playTo((index + 1) * 700);
        host.act(act);
      }
      await host.playTo(13_000);
      const { trace, events, breach } = host.look();
      assert.equal(breach, null);
      assert.equal(host.edits.length, acts.length);
      const { setting: shared } = unwrap(openedFrom(queryOf({ ...host.setting, edits: host.edits })));
      const again = await replay(shared, events);
      assert.equal(again.look().trace, trace);
    }
  });

  test('shows messages with their arrival, what nodes wait for, and who is down', async () => {
    const host = new PlayHost(firstSetting);
    await host.playTo(3_000);
    const view = host.look();
    for (const kind of ['pre-prepare', 'prepare', 'commit']) {
      assert.ok(view.carried.some((one) => one.kind === kind && one.arrivals.every((at) => at > one.at)));
    }
    assert.ok(view.lines.some((line) => /node 0: final 1 /.test(line)));
    assert.match(view.nodes[0]?.why ?? '', /height \d+, view 0/);
    host.act({ kind: 'crash', node: 0 });
    host.act({ kind: 'pause', node: 1 });
    assert.deepEqual(
      host.look().nodes.map(({ state }) => state),
      ['down', 'paused', 'running', 'running'],
    );
  });

  test('goes on when the primary dies, and stands while there is no quorum', async () => {
    const host = new PlayHost(firstSetting);
    await host.playTo(3_000);
    host.act({ kind: 'crash', node: 0 });
    const [, before = 0] = heightsOf(host);
    await host.playTo(12_000);
    assert.ok((heightsOf(host)[1] ?? 0) > before, 'three of four go on in another view');
    host.act({ kind: 'crash', node: 1 });
    await host.playTo(13_000);
    const [, , stood = 0] = heightsOf(host);
    await host.playTo(25_000);
    assert.equal(heightsOf(host)[2], stood);
    host.act({ kind: 'start', node: 0 });
    host.act({ kind: 'start', node: 1 });
    await host.playTo(60_000);
    const { breach, nodes } = host.look();
    assert.equal(breach, null);
    assert.ok(nodes.every(({ height }) => height > stood));
  });
});

describe('a setting', () => {
  const act: fc.Arbitrary<Act> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('crash', 'lose', 'start', 'pause', 'resume', 'wipe', 'read'),
      node: fc.nat(6),
    }),
    fc.record({
      kind: fc.constantFrom('cut', 'mend'),
      node: fc.nat(3),
      other: fc.nat(2).map((other) => other + 4),
    }),
    fc.record({ kind: fc.constant('clock'), node: fc.nat(6), ms: fc.integer({ min: -1e5, max: 1e5 }) }),
    fc.record({ kind: fc.constant('lie'), node: fc.nat(6), liar: fc.constantFrom(...playedLiars) }),
    fc.record({ kind: fc.constant('write'), node: fc.nat(6), value: fc.nat(999_999_999) }),
    fc.record({ kind: fc.constantFrom('hold', 'release'), what: fc.constantFrom('commit', 'view-change') }),
  );
  const settings: fc.Arbitrary<Setting> = fc.record({
    engine: fc.constantFrom('pbft', 'raft'),
    seed: fc.nat(2 ** 40),
    plan: fc.constant('calm' as const),
    nodes: fc.array(fc.option(fc.constantFrom(...playedLiars)), { minLength: 3, maxLength: 7 }),
    load: fc.constantFrom('steady', 'none'),
    edits: fc.array(fc.record({ event: fc.nat(1e6), at: fc.nat(1e6), act }), { maxLength: 5 }),
  });

  test('comes back from an address as it was', () => {
    fc.assert(
      fc.property(settings, fc.option(fc.nat(999_999), { nil: undefined }), (setting, event) => {
        const more = { event, lesson: 'flp' };
        assert.equal(
          JSON.stringify(openedFrom(queryOf(setting, more))),
          JSON.stringify({ setting, ...more }),
        );
      }),
    );
  });

  test('that is none says what is wrong, whatever stands in the address', () => {
    for (const [query, what] of [
      ['engine=paxos', /engine must be pbft or raft/],
      ['seed=-1', /seed/],
      ['seed=x', /seed/],
      ['plan=wild', /plan/],
      ['nodes=honest', /nodes must be 3 to 7/],
      ['nodes=honest,honest,saint', /nodes must be honest/],
      ['edits=1@2:crash', /edits/],
      ['edits=1@2:cut:0', /edits/],
      ['edits=1@2:crash:0:1', /edits/],
      ['edits=-1@2:crash:0', /edits/],
      ['edits=1:crash:0', /edits/],
      ['edits=1@2:fly:0', /edits/],
      ['edits=1@2:cut:0:0', /edits/],
      ['edits=1@2:lie:0:saint', /edits/],
      ['edits=1@2:lie:0:twin', /edits/],
      ['edits=1@2:write:0:-1', /edits/],
      ['edits=1@2:hold:', /edits/],
      ['edits=1@2:hold:commit:0', /edits/],
      ['edits=1@2:crash:9000', /edits/],
      [`edits=${Array.from({ length: 1_001 }, () => '1@2:crash:0').join()}`, /edits/],
      ['load=heavy', /load/],
      ['nodes=twin,honest,honest', /nodes/],
      ['event=-1', /event/],
      ['event=9999999', /event/],
    ] as const) {
      const problem = openedFrom(query);
      assert.ok(problem instanceof Problem, query);
      assert.match(problem.message, what);
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        openedFrom(text);
        editFrom(text);
      }),
    );
  });

  test('that quorate simulate names opens the same plan', () => {
    for (const engine of ['pbft', 'raft'] as const) {
      const plan = drawPlan(7, engine);
      const { setting } = unwrap(openedFrom((playAddress(plan) ?? '').replace('#/play/', '')));
      assert.deepEqual(planOf(setting), plan);
      assert.equal(playAddress({ ...plan, signatures: 'ed25519' }), undefined, 'the page has the fast ones');
    }
  });
});
