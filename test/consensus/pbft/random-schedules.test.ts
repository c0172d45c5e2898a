import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHeight } from '../../../src/ledger/block.ts';
import { Committee, nextBelow, nextFloat } from './harness.ts';

/**
 * Loss, reordering, old messages again, crashes, restarts and lost disks from a seed; a liar (0) that suspects whom it likes; then everything
 * heals. Safety all along, liveness at the end.
 */
function runSchedule(seed: number): void {
  const committee = new Committee(4, {
    seed,
    options: {
      viewTimeoutMs: 400,
      viewTimeoutCapMs: 3_000,
      statusMs: 100,
      window: 1 + (seed % 4),
      blockIntervalMs: seed % 2 === 0 ? 0 : 50,
    },
  });
  const { random } = committee;
  const archive: Committee['wire'] = [];
  const lies = seed % 3 === 0;
  const loss = nextFloat(random) * 0.4;
  for (let turn = 0; turn < 400; turn++) {
    const what = nextFloat(random);
    if (what < 0.06) committee.work();
    else if (what < 0.25) {
      committee.now += 20 + nextBelow(random, 150);
      for (const node of committee.nodes) node.step({ type: 'tick', now: committee.now });
    } else if (what < 0.26) {
      const node = committee.node(nextBelow(random, 4));
      if (node.engine === null) node.restart();
      else node.crash();
    } else if (what < 0.29) {
      const node = committee.node(nextBelow(random, 4));
      if (node.holdPersists) node.releasePersists();
      else node.holdPersists = true;
    } else if (what < 0.31) {
      const node = committee.node(nextBelow(random, 4));
      if (node.holdCommits) node.releaseCommits();
      else node.holdCommits = true;
    } else if (what < 0.312) {
      // A power cut.
      for (const node of committee.nodes) {
        node.crash();
        node.restart();
      }
    } else if (what < 0.316) {
      // One at a time: its guard may take longer than the schedule.
      const node = committee.node(1 + nextBelow(random, 3));
      const alone = committee.nodes.every(({ engine }) => engine?.state.guard.name === 'off');
      if (alone) {
        node.loseDisk();
        node.restart();
      }
    } else if (what < 0.34) {
      const old = archive[nextBelow(random, Math.max(1, archive.length))];
      if (old !== undefined) committee.deliver({ ...old, to: nextBelow(random, 4) });
    } else if (what < 0.37 && lies) {
      const victim = committee.node(1 + nextBelow(random, 3));
      const state = victim.engine?.state;
      if (state !== undefined) {
        const height = toHeight(state.final.height + 1);
        victim.receive(
          committee.say({
            kind: 'suspect',
            from: 0,
            view: state.view,
            reason: 'no-progress',
            height,
            sequence: turn,
          }),
        );
      }
    } else {
      for (let burst = 0; burst < 8 && committee.wire.length > 0; burst++) {
        const index = nextBelow(random, Math.min(committee.wire.length, 24));
        const [next] = committee.wire.splice(index, 1);
        if (next === undefined) continue;
        archive.push(next);
        if (nextFloat(random) >= loss) committee.deliver(next);
      }
    }
    committee.checkAgreement();
  }
  for (const node of committee.nodes) {
    if (node.engine === null) node.restart();
    node.releasePersists();
    node.releaseCommits();
  }
  const before = Math.max(...committee.heights());
  committee.pass(1_000);
  committee.work();
  committee.pass(12_000);
  committee.checkAgreement();
  const heights = committee.heights();
  assert.ok(
    Math.min(...heights) > before,
    `seed ${seed}: heights ${heights.join(' ')} should all pass ${before}; ${committee.nodes.map((node) => node.engine?.why()).join(' | ')}`,
  );
}

const seeds = Number(process.env['SEEDS'] ?? 300);

test(`safety under faults, then liveness: ${seeds} schedules`, () => {
  for (let seed = 1; seed <= seeds; seed++) runSchedule(seed);
});
