import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaos } from './chaos.ts';

// Each schedule checks, after every step of every member: the invariants of one engine; election safety, leader completeness and state
// machine safety of the cluster, also before they show (`promises.ts`); votes across restarts, and reads; and at its end that everything
// became final once the faults stopped, each transaction once.
// More of them: SEEDS=1..5000 node --test test/consensus/raft/safety.test.ts
const [from = 1, to = 250] = (process.env['SEEDS'] ?? '1..250').split('..').map(Number);

test(`random schedules ${from} to ${to} are safe, and live after healing`, () => {
  const seen: Record<string, number> = {};
  for (let seed = from; seed <= to; seed++) {
    let report;
    try {
      report = chaos(seed);
    } catch (cause) {
      throw new Error(`seed ${seed} fails: SEEDS=${seed}..${seed} replays it`, { cause });
    }
    for (const [name, value] of Object.entries({
      ...report.faults,
      ...report.counters,
      terms: report.terms,
    })) {
      seen[name] = (seen[name] ?? 0) + value;
    }
  }
  if (to - from < 200) return;
  // A suite that never meets a fault says nothing about it.
  const wanted = [
    'crash',
    'crash-all',
    'partition',
    'isolate',
    'defect',
    'pause',
    'stall',
    'slow-disk',
    'bodies',
    'storing',
    'lose',
    'new-machine',
    'old-copy',
    'mislead',
    'hold',
    'ambush',
    'half-done',
    'succeed',
    'change-sides',
    'come-back',
    'leave-behind',
    'coup',
    'hear-late',
    'joint-phase',
    'way-out',
    'members',
    'transfer',
    'read',
    'truncated',
    'step-downs',
    'transfers',
    'reads-served',
    'snapshots-installed',
  ];
  for (const name of wanted) assert.ok((seen[name] ?? 0) > 0, `${name} was exercised`);
});

test('a schedule is a function of its seed', () => {
  assert.deepEqual(chaos(42), chaos(42));
});
