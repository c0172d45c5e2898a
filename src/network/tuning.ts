import { limits } from '../base/limits.ts';

/**
 * Times and thresholds of the libp2p adapter. None of them is part of any agreement between nodes, so
 * two nodes may differ; tests shorten them.
 */
export interface NetworkTuning {
  /** How often an idle link carries a heartbeat and every link is looked at. */
  readonly heartbeatMs: number;
  /** Heartbeats in a row without one byte from the other side until a link counts as half-open and is cut. */
  readonly silentHeartbeats: number;
  /** From the open connection to both verdicts on the hellos. */
  readonly handshakeMs: number;
  /** One dial attempt, with its secure channel. */
  readonly dialMs: number;
  /** First wait before a lost peer is dialled again; doubles at each failure. */
  readonly redialBaseMs: number;
  readonly redialCapMs: number;
  /** Wait after a refused hello: neither side will change its mind soon. */
  readonly redialRefusedMs: number;
  /** A connection that lived this long clears the back-off. */
  readonly stableMs: number;
  readonly requestTimeoutMs: number;
  /** How long a verdict on a gossip message is waited for; after that the message is not relayed. */
  readonly gossipDecisionMs: number;
  /** Penalties (decayed) at which a peer is disconnected. */
  readonly penaltyLimit: number;
  /** Penalties halve in this time. */
  readonly penaltyHalfLifeMs: number;
  /** How long a disconnected offender is refused. */
  readonly banMs: number;
}

export const defaultTuning: NetworkTuning = {
  heartbeatMs: 3_000,
  silentHeartbeats: 4,
  handshakeMs: 5_000,
  dialMs: 5_000,
  redialBaseMs: 250,
  redialCapMs: 15_000,
  redialRefusedMs: 60_000,
  stableMs: 10_000,
  requestTimeoutMs: limits.requestTimeoutMs,
  gossipDecisionMs: 2_000,
  penaltyLimit: 20,
  penaltyHalfLifeMs: 60_000,
  banMs: 60_000,
};
