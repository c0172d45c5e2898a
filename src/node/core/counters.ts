import type { Parts } from './assemble.ts';

/** What happened since the start, by kind. */
export function countersOf<M extends object>(
  parts: Pick<Parts<M>, 'messenger' | 'verification' | 'intake' | 'bodies' | 'sync' | 'serving'>,
): Record<string, number> {
  const { sent, relayed, unsent } = parts.messenger.counters;
  const { messages, ignored, bad } = parts.verification.counters;
  const { submitted, accepted, refused, gossiped, framesIn, framesOut, framesBad } = parts.intake.counters;
  return {
    'messages-sent': sent,
    'messages-relayed': relayed,
    'messages-unsent': unsent,
    'messages-received': messages,
    'messages-ignored': ignored,
    'messages-bad': bad,
    'transactions-submitted': submitted,
    'transactions-accepted': accepted,
    'transactions-refused': refused,
    'transactions-gossiped': gossiped,
    'frames-received': framesIn,
    'frames-sent': framesOut,
    'frames-bad': framesBad,
    'transactions-fetched': parts.bodies.counters.fetchedTransactions,
    'blocks-fetched': parts.bodies.counters.fetchedBlocks,
    'blocks-synced': parts.sync.counters.syncedBlocks,
    'sync-faults': parts.sync.counters.syncFaults,
    'requests-served': parts.serving.counters.served,
    'requests-refused': parts.serving.counters.refused,
  };
}
