import type { MetricFamily, NodeStatus } from '../../api/backend.ts';
import type { EngineStatus } from '../../consensus/engine.ts';

/** What a monitoring system wants to know of a node, by the naming rules of Prometheus. */
export function metricFamilies(node: {
  readonly status: NodeStatus;
  readonly ready: boolean;
  readonly queuedBytes: number;
  readonly clockBehindMs: number;
  readonly clockDifferenceMs: number | undefined;
  readonly waiting: EngineStatus['waiting'];
  /** Transactions behind a missing nonce. */
  readonly waitingTransactions: number;
  readonly firstBlock: number;
  readonly signatureCheck: string;
}): MetricFamily[] {
  const { status, ready, queuedBytes, clockBehindMs, clockDifferenceMs, waiting, firstBlock } = node;
  const { waitingTransactions } = node;
  /** Without a value while there is none. */
  const gauge = (name: string, help: string, value: number | undefined): MetricFamily => ({
    name: `quorate_${name}`,
    help,
    type: 'gauge',
    samples: value === undefined ? [] : [{ labels: {}, value }],
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
    gauge(
      'clock_difference_seconds',
      'This node’s clock less the time of the last block that another made, when it became final here: above 0 ahead, below 0 behind.',
      clockDifferenceMs === undefined ? undefined : clockDifferenceMs / 1_000,
    ),
    gauge('highest_known_height', 'Highest final height that a peer is known to have.', status.highestKnown),
    gauge('view', 'View (PBFT) or term (Raft).', status.view),
    gauge('primary', 'Index of the validator that leads; -1 while nobody does.', status.primary ?? -1),
    gauge('blocks_in_flight', 'Blocks above the final one under agreement.', status.inFlight),
    gauge('voting', '1 while this node may vote.', Number(status.voting)),
    gauge('quorum_contact', '1 while this node hears a quorum.', Number(status.quorumContact)),
    gauge('syncing', '1 while this node fetches final blocks.', Number(status.syncing)),
    gauge(
      'first_block_height',
      'The lowest block that is stored whole; those below were pruned.',
      firstBlock,
    ),
    gauge('writes_pending', 'Writes of the consensus log that wait for the disk.', waiting.writes),
    gauge('oldest_write_seconds', 'For how long the oldest of them waits.', waiting.oldestWriteMs / 1_000),
    gauge('reads_pending', 'Linearizable reads that wait for the leader’s round (Raft).', waiting.reads),
    gauge('peers', 'Connected peers.', status.peers),
    gauge('send_queue_bytes', 'Bytes waiting to be sent to peers.', queuedBytes),
    gauge('mempool_transactions', 'Transactions that wait to stand in a block.', status.mempool.transactions),
    gauge(
      'mempool_waiting',
      'Those of them that wait for a nonce that is missing here.',
      waitingTransactions,
    ),
    gauge(
      'mempool_bytes',
      'Their encoded size, with what more parts and keys than a transfer has count.',
      status.mempool.bytes,
    ),
    {
      name: 'quorate_signature_check',
      help: 'What checks signatures here.',
      type: 'gauge',
      samples: [{ labels: { implementation: node.signatureCheck }, value: 1 }],
    },
    gauge('protocol_version', 'Protocol version of the next block.', status.protocolVersion),
    gauge(
      'protocol_version_known',
      'The newest protocol version that this node knows.',
      status.knownProtocolVersions.newest,
    ),
    gauge(
      'protocol_version_scheduled',
      'The protocol version that was decided and does not count yet; above protocol_version_known this node stops before it.',
      status.scheduledProtocolVersion?.version,
    ),
    gauge(
      'protocol_version_scheduled_height',
      'The first height that it counts for.',
      status.scheduledProtocolVersion?.height,
    ),
    gauge('uptime_seconds', 'Since this process started.', status.uptimeMs / 1_000),
    {
      name: 'quorate_events_total',
      help: 'What happened in this process, by event: in kebab-case, as in the log and in the counters of /v1/status.',
      type: 'counter',
      samples: Object.entries(status.counters).map(([event, value]) => ({ labels: { event }, value })),
    },
  ];
}
