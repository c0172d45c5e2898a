import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { ConnectionGater, Libp2p } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { createLibp2p } from 'libp2p';
import { limits } from '../base/limits.ts';
import { GuardedYamux } from './guarded-yamux.ts';
import { StrangersBudget } from './line-budget.ts';
import type { NetworkTuning } from './tuning.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Streams at once on one connection and in one direction: direct, gossip, hello, identify, ping, and requests both ways. */
const STREAMS_PER_CONNECTION = 32;

/** Many nodes may run on one host, as in every test network. */
const INBOUND_PER_SECOND_AND_HOST = 100;
const INBOUND_PENDING = 64;

/** The muxer of all connections of one host. `now` gives milliseconds of a monotonic clock. */
export function createMuxers(now: () => number): GuardedYamux {
  return new GuardedYamux({
    init: {
      maxInboundStreams: STREAMS_PER_CONNECTION,
      maxOutboundStreams: STREAMS_PER_CONNECTION,
      streamOptions: {
        maxStreamWindowSize: limits.streamWindowBytes,
        // A window above the read buffer makes a paused stream reset instead of wait.
        maxReadBufferLength: 2 * limits.streamWindowBytes,
        maxWriteBufferLength: limits.responseBytes + 1 * MiB,
      },
    },
    strangers: new StrangersBudget(now()),
    now,
  });
}

/** libp2p with every limit set; see the table of traps in the architecture page. Not started. */
export async function createHost(options: {
  seed: Uint8Array;
  listen: readonly string[];
  gossip: (components: GossipSubComponents) => GossipSub;
  gater: ConnectionGater;
  muxers: GuardedYamux;
  tuning: NetworkTuning;
}): Promise<Libp2p> {
  const { seed, listen, gossip, gater, muxers, tuning } = options;
  const streamTimeout = tuning.handshakeMs;
  return await createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    nodeInfo: { name: 'quorate', userAgent: 'quorate' },
    addresses: { listen: [...listen] },
    transports: [
      tcp({
        dialOpts: { noDelay: true, keepAlive: true },
        listenOpts: { noDelay: true, keepAlive: true },
        maxConnections: limits.maxConnections,
      }),
    ],
    // TLS first: a half to a third of Noise's cost per byte in this runtime.
    connectionEncrypters: [tls(), noise()],
    streamMuxers: [muxers.service],
    connectionGater: gater,
    connectionManager: {
      maxConnections: limits.maxConnections,
      inboundConnectionThreshold: INBOUND_PER_SECOND_AND_HOST,
      maxIncomingPendingConnections: INBOUND_PENDING,
      inboundUpgradeTimeout: tuning.handshakeMs,
      dialTimeout: tuning.dialMs,
      addressDialTimeout: tuning.dialMs,
      inboundStreamProtocolNegotiationTimeout: streamTimeout,
      outboundStreamProtocolNegotiationTimeout: streamTimeout,
    },
    // Its pings fail on loaded links, and it would cut those. Our own heartbeats find dead links.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services: { identify: identify(), ping: ping(), gossip },
  });
}
