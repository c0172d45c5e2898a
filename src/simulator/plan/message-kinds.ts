import type { Plan } from './plan.ts';

const pbftKinds = [
  'pre-prepare',
  'prepare',
  'commit',
  'suspect',
  'view-change',
  'new-view',
  'status',
  'evidence',
  'query-stable',
  'reply-stable',
] as const;

const raftKinds = [
  'vote-request',
  'vote',
  'append',
  'accepted',
  'rejected',
  'heartbeat',
  'heartbeat-answer',
  'timeout-now',
  'read-request',
  'read-answer',
  'snapshot-offer',
  'snapshot-answer',
] as const;

/**
 * Names a consensus message by its first byte, which is its kind in both engines' formats.
 * A test holds it to them.
 */
export function kindOf(engine: Plan['engine'], bytes: Uint8Array): string {
  const kinds: readonly string[] = engine === 'pbft' ? pbftKinds : raftKinds;
  return kinds[(bytes[0] ?? 0) - 1] ?? 'unknown';
}
