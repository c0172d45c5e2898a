import type { Connection, Libp2p } from '@libp2p/interface';
import { Door } from './door.ts';
import { createGater } from './gater.ts';
import { Gossip } from './gossip.ts';
import { createHost, createMuxers } from './libp2p-host.ts';
import { admitStream, type Link } from './link.ts';
import { silentLog, type NetworkLog } from './log.ts';
import { parsePeerAddress } from './peer-address.ts';
import { PeerTable } from './peer-table.ts';
import { Penalties } from './penalties.ts';
import type { Network } from './port.ts';
import { protocolNames } from './protocol-names.ts';
import { holderOf, type Meter, Receiving, unmetered } from './receiving.ts';
import { Libp2pNetwork } from './libp2p-adapter.ts';
import { defaultTuning, type NetworkTuning } from './tuning.ts';

export interface Libp2pNetworkOptions {
  /** Ed25519 seed of the node key, 32 bytes: the peer id follows from it. Never the validator's key. */
  readonly seed: Uint8Array;
  /** Multiaddrs to listen on, for example `/ip4/0.0.0.0/tcp/7000`; port 0 picks a free one. */
  readonly listen: readonly string[];
  /** Multiaddrs to keep connected to, with `/p2p/<peer id>` where it is known. */
  readonly peers: readonly string[];
  readonly chainId: string;
  /** Our hello, asked for anew at every connection; at most `maxHelloBytes`. */
  readonly hello: () => Uint8Array;
  readonly log?: NetworkLog;
  readonly tuning?: Partial<NetworkTuning>;
  /** Milliseconds of a monotonic clock, for budgets and bans; the machine's unless given. */
  readonly now?: () => number;
}

/** The `Network` port over libp2p. Throws a Problem when a peer's address or the seed cannot be used. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  const targets = options.peers.map(parsePeerAddress);
  const tuning = { ...defaultTuning, ...options.tuning };
  const now = options.now ?? performance.now.bind(performance);
  const log = options.log ?? silentLog;
  const links = new Map<string, Link>();
  const peers = new PeerTable();
  const names = protocolNames(options.chainId);
  const receiving = new Receiving((holder) => {
    for (const link of links.values()) {
      if (holderOf(link) === holder)
        link.connection.abort(new Error('too much of messages that are not whole'));
    }
  });
  const meter = (connection: Connection): Meter => {
    const link = links.get(connection.id);
    return link === undefined ? unmetered : receiving.meter(link);
  };
  const penalties = new Penalties({
    limit: tuning.penaltyLimit,
    halfLifeMs: tuning.penaltyHalfLifeMs,
    banMs: tuning.banMs,
  });
  const gossip = new Gossip({
    names,
    log,
    decisionMs: tuning.gossipDecisionMs,
    gate: (stream, connection) => admitStream(stream, links.get(connection.id)),
    meter,
    spend: (connection) => links.get(connection.id)?.budget.take('messages', 1),
    isMember: (peer) => peers.get(peer)?.links.some(({ budget }) => budget.standing === 'member') === true,
    now,
  });
  const door = new Door({ now, isBanned: (block) => penalties.isBanned(block, now()) });
  for (const { address } of targets) door.know(address);
  const gater = createGater({ door, isBanned: (peer) => penalties.isBanned(peer, now()) });
  const muxers = createMuxers(now, (name) => host.getProtocols().includes(name));
  const host: Libp2p = await createHost({
    seed: options.seed,
    listen: options.listen,
    gossip: gossip.service,
    gater,
    muxers,
    hears: (address) => door.hears(address),
    mayStart: (line) => door.secure(line),
    tuning,
  });
  return new Libp2pNetwork({
    door,
    options,
    tuning,
    log,
    links,
    peers,
    names,
    penalties,
    gossip,
    receiving,
    muxers,
    host,
    targets,
    now,
  });
}
