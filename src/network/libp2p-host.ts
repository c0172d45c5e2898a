import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import type { GossipSub, GossipSubComponents } from '@libp2p/gossipsub';
import { type ConnectionGater, type Libp2p, serviceCapabilities } from '@libp2p/interface';
import { createLibp2p } from 'libp2p';
import { limits } from '../base/limits.ts';
import { countedTcp } from './counted-calls.ts';
import { GuardedYamux } from './guarded-yamux.ts';
import { StrangersBudget } from './line-budget.ts';
import { SecureChannel } from './secure-channel.ts';
import type { NetworkTuning } from './tuning.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * libp2p's own bounds of connections know neither members nor address blocks: ours are in front of them, and
 * these are never reached.
 */
const boundedElsewhere = 1_000_000;

/**
 * Gossipsub asks for libp2p's identify, and uses it for nothing that we let it do. Without it the hello is
 * all that is said before a peer is known: identify takes two streams, a signature on each side and a record
 * in the peer store for every caller.
 */
const noIdentify = { [serviceCapabilities]: ['@libp2p/identify'] };

/**
 * The muxer of all connections of one host, which serves streams of these protocols. `now` gives
 * milliseconds of a monotonic clock.
 */
export function createMuxers(now: () => number, isProtocol: (name: string) => boolean): GuardedYamux {
  return new GuardedYamux({
    init: {
      maxInboundStreams: limits.streamsPerConnection,
      maxOutboundStreams: limits.streamsPerConnection,
      streamOptions: {
        maxStreamWindowSize: limits.streamWindowBytes,
        // A window above the read buffer makes a paused stream reset instead of wait.
        maxReadBufferLength: 2 * limits.streamWindowBytes,
        maxWriteBufferLength: limits.responseBytes + 1 * MiB,
      },
    },
    strangers: new StrangersBudget(now()),
    isProtocol,
    now,
  });
}

/** libp2p with every limit set, or switched off where ours stands in front of it. Not started. */
export async function createHost(options: {
  seed: Uint8Array;
  listen: readonly string[];
  gossip: (components: GossipSubComponents) => GossipSub;
  gater: ConnectionGater;
  muxers: GuardedYamux;
  /** Somebody calls from this address. False to hang up. */
  hears?: (address: string) => boolean;
  /** A caller asks for the secure channel. False to hang up. */
  mayStart?: (line: object) => boolean;
  tuning: NetworkTuning;
}): Promise<Libp2p> {
  const { seed, listen, gossip, gater, muxers, tuning } = options;
  const { hears = () => true, mayStart = () => true } = options;
  const streamTimeout = tuning.handshakeMs;
  return await createLibp2p({
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    nodeInfo: { name: 'quorate', userAgent: 'quorate' },
    addresses: { listen: [...listen] },
    transports: [countedTcp(hears)],
    // One channel is enough, and one less for strangers to choose from. Noise costs two to three times as
    // much per byte in this runtime.
    connectionEncrypters: [(components) => new SecureChannel(components, { mayStart })],
    streamMuxers: [muxers.service],
    connectionGater: gater,
    connectionManager: {
      maxConnections: boundedElsewhere,
      inboundConnectionThreshold: boundedElsewhere,
      maxIncomingPendingConnections: boundedElsewhere,
      inboundUpgradeTimeout: tuning.handshakeMs,
      dialTimeout: tuning.dialMs,
      addressDialTimeout: tuning.dialMs,
      inboundStreamProtocolNegotiationTimeout: streamTimeout,
      outboundStreamProtocolNegotiationTimeout: streamTimeout,
    },
    // Its pings fail on loaded links, and it would cut those. Our own heartbeats find dead links.
    connectionMonitor: { enabled: false },
    services: { identify: () => noIdentify, gossip },
  });
}
