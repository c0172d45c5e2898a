import type { LogTrust, Protocol } from '../../consensus/protocol.ts';
import type { PublicKey, Signature, SignatureClaim, Verifier } from '../../crypto/signature.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Network } from '../../network/port.ts';
import type { ChainStore } from '../../storage/chain-store.ts';
import type { Restored } from '../effects/restore.ts';
import type { Observers } from '../peers/peer-registry.ts';
import type { Clock } from '../process/clock.ts';
import type { WriteCount } from '../process/key-use.ts';
import type { Logger } from '../process/log.ts';

/** What a driver runs: an engine, on these ports, from what is stored. */
export interface DriverOptions<M extends object> {
  readonly genesis: Genesis;
  readonly protocol: Protocol<M>;
  /** What `restore` found in the store. The driver takes it over: its state is released. */
  readonly restored: Restored;
  readonly store: ChainStore;
  readonly network: Network;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * The key that speaks for this node, and what signs with it. One that is no validator's makes an observer.
   */
  readonly identity: { readonly publicKey: PublicKey; readonly sign: (message: Uint8Array) => Signature };
  /** Who may connect besides members and the peers that this node dials; anybody unless given. */
  readonly observers?: Observers;
  /** Checks one signature at once, by the consensus rule: for the hello of a new peer. */
  readonly checkSignature: (claim: SignatureClaim) => boolean;
  /** Counts what is written with the key; without it, an old copy of the store is not noticed. */
  readonly uses?: WriteCount;
  /** What is known of the consensus log in the store. */
  readonly trust: LogTrust;
  /** For the engine's generator, and so that gossip frames differ between runs. */
  readonly seed: number;
  /** Of the rules: this one and those before it are known. The newest that there is unless given. */
  readonly newestProtocolVersion?: number | undefined;
  /**
   * Entries in one part of a snapshot that this node serves, in bytes; `limits.snapshotPartBytes` unless
   * given (small states, in many parts).
   */
  readonly snapshotPartBytes?: number;
  /** Where others reach this node's API, if they are to be told. */
  readonly api?: string | undefined;
  /**
   * The node cannot go on: a problem of the machine (a failed disk), or our own broken promise. Nothing
   * happens after it.
   */
  readonly onFatal: (error: unknown) => void;
}

/**
 * What the parts may keep of them: all but what the node begins with, a whole state and blocks, which would
 * stay in memory for as long as it runs.
 */
export type LastingOptions<M extends object> = Omit<DriverOptions<M>, 'restored'>;
