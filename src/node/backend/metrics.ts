import type { MetricFamily, NodeStatus } from '../../api/backend.ts';

/** What a monitoring system wants to know of a node, by the naming rules of Prometheus. */
export function metricFamilies(node: {
  readonly status: NodeStatus;
  readonly ready: boolean;
  readonly queuedBytes: number;
  readonly clockBehindMs: number;
}): MetricFamily[] {
  const { status, ready, queuedBytes, clockBehindMs } = node;
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name: `quorate_${name}`,
    help,
    type: 'gauge',
    samples: [{ labels: {}, value }],
  });
  return [
    gauge('ready', '1 when clients may expect progress.', Number(ready)),
    gauge('final_height', 'Height of the last final block here.', status.finalHeight),
    gauge('final_timestamp_seconds', 'Timestamp of the last final block.', status.finalTimestamp / 1_000),
    gauge(
      'clock_behind_seconds',
      'How far the last final block is ahead of the clock of this node; above 10 one of the two is wrong.',
      clockBehindMs / 1_000,
    ),
    gauge('highest_known_height', 'Highest final height that a peer is known to have.', status.highestKnown),
    gauge('view', 'View (PBFT) or term (Raft).', status.view),
    gauge('primary', 'Index of the validator that leads; -1 while nobody does.', status.primary ?? -1),
    gauge('blocks_in_flight', 'Blocks above the final one under agreement.', status.inFlight),
    gauge('voting', '1 while this node may vote.', Number(status.voting)),
    gauge('quorum_contact', '1 while this node hears a quorum.', Number(status.quorumContact)),
    gauge('syncing', '1 while this node fetches final blocks.', Number(status.syncing)),
    gauge('peers', 'Connected peers.', status.peers),
    gauge('send_queue_bytes', 'Bytes waiting to be sent to peers.', queuedBytes),
    gauge('mempool_transactions', 'Transactions that wait to stand in a block.', status.mempool.transactions),
    gauge('mempool_bytes', 'Their encoded size.', status.mempool.bytes),
    gauge('uptime_seconds', 'Since this process started.', status.uptimeMs / 1_000),
    {
      name: 'quorate_events_total',
      help: 'What happened in this process, by kind.',
      type: 'counter',
      samples: Object.entries(status.counters).map(([event, value]) => ({ labels: { event }, value })),
    },
  ];
}
