import type { EngineName } from '../../ledger/engine-names.ts';
import { drawnLiars } from '../plan/draw-plan.ts';
import { strangerNames } from '../plan/plan.ts';
import type { Counts } from '../world/counters.ts';

const expectedPbft: readonly string[] = [
  ...drawnLiars.filter((name) => name !== 'twin').map((name) => `liar/${name}`),
  ...strangerNames.map((name) => `strangers/${name}`),
  ...[
    'partition',
    'one-way',
    'rotating-partition',
    'clog',
    'crash',
    'crash-all',
    'crash-loop',
    'disk-stall',
    'disk-slow',
    'disk-error',
    'disk-loss',
    'clock-jump',
    'clocks-jump',
    'clock-drift',
    'wrong-clock',
    'pause',
    'freeze',
    'weather',
    'drop-kinds',
    'strike',
    'twin',
    'lost-writes',
    'change-validators',
  ].map((fault) => `fault/${fault}`),
  'epoch/begun',
  // A key that came later had to ask how far it was, and was told.
  'event/chain-runs-already',
  'event/amnesia-silent',
  'shape/star',
  'shape/line',
  'shape/bridge',
  ...['loss', 'duplicate', 'reorder', 'cut', 'filtered', 'clog', 'clog-drop'].map((fault) => `link/${fault}`),
];

/** What Raft does not claim to stand, or does in another way. */
const pbftOnly = /^(?:(?:liar|strangers|shape|epoch|event)\/|fault\/(?:twin|change-validators)$)/;

const expectedRaft: readonly string[] = [
  ...expectedPbft.filter((name) => !pbftOnly.test(name)),
  'fault/hand-over',
  'fault/change-members',
  // Changes and hand-overs that were done, and a leader that was voted out.
  'request/members',
  'request/transfer',
  'event/removed',
  // One whose log was lost has a vote again.
  'event/trusted-again',
  // One that a leader offered, and one that sync found.
  'event/snapshot-offered',
  'event/snapshot-found',
  // A fetch that a crash cut off, and one for which nobody was left.
  'install/done',
  'install/cut-off',
  'install/failed',
];

/** What a large enough number of runs must have exercised: something never exercised was never tested. */
const expected: Readonly<Record<EngineName, readonly string[]>> = {
  pbft: expectedPbft,
  raft: expectedRaft,
};

/** Names of what should have been exercised and never was. */
export function neverExercised(counts: Counts, engine: EngineName): readonly string[] {
  return expected[engine].filter((name) => (counts[name] ?? 0) === 0);
}

/** The counts as lines, one area a paragraph. */
export function describeCounts(counts: Counts): string {
  const areas = new Map<string, string[]>();
  for (const [name, value] of Object.entries(counts)) {
    const [area = '', ...rest] = name.split('/');
    const lines = areas.get(area) ?? [];
    lines.push(`  ${rest.join('/').padEnd(36)} ${value.toLocaleString('en-US').padStart(14)}`);
    areas.set(area, lines);
  }
  return [...areas].map(([area, lines]) => `${area}\n${lines.join('\n')}`).join('\n');
}
