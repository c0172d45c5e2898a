import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Draft, PbftMessage } from '../../consensus/pbft/message.ts';
import type { GossipVerdict, PeerId, RequestProtocol, Topic } from '../../network/port.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { BlockHeader, Height } from '../../ledger/block.ts';
import type { Transaction } from '../../ledger/transaction.ts';
import type { TransactionBody } from '../../ledger/transaction-body.ts';
import type { Chance } from '../world/chance.ts';

/** What a liar has: its own key, its place on the network, and what the honest node around it hears. */
export interface LiarTools {
  /** The epoch that it lies in: the present one, or the last in which it was a validator. */
  readonly epoch: Height;
  /** Its place among the validators of that; for a stranger the first that nobody has. */
  readonly self: ValidatorIndex;
  readonly validators: number;
  readonly publicKey: PublicKey;
  readonly chainId: Hash;
  /** The header at height 0. */
  readonly genesis: BlockHeader;
  /** The first timeout of a view; for those that stay just below it. */
  readonly viewTimeoutMs: number;
  readonly chance: Chance;
  /** Signs anything, as this validator. */
  sign(draft: Draft): PbftMessage;
  /** Sends to one peer, past the honest node. A message may be anybody's. */
  send(to: PeerId, message: PbftMessage | Uint8Array): void;
  /** Gossips, past the honest node. */
  publish(topic: Topic, bytes: Uint8Array): void;
  /** A new account, which owns nothing: what it signs is free. */
  account(): LiarAccount;
  peers(): readonly PeerId[];
  after(delayMs: number, call: () => void): void;
  /** A lie was told; for the count of what was exercised. */
  lied(): void;
}

/** An account of a liar's own. */
export interface LiarAccount {
  readonly publicKey: PublicKey;
  /** Signs the body of a transaction. */
  transact(body: TransactionBody): Transaction;
}

/** The honest node in a liar's hands. */
export interface OwnNode {
  /** Gives it gossip that nobody else hears. */
  hear(topic: Topic, bytes: Uint8Array): void;
}

/** What another node asks for. */
interface Asked {
  readonly protocol: RequestProtocol;
  readonly request: Uint8Array;
  readonly from: PeerId;
}

/**
 * A strategy: a thin wrapper around the honest node. It sees what the node sends and hears, and changes what
 * it wants; what it leaves out behaves. Every hook is optional.
 */
export interface Liar {
  /** The node's own message is about to go to one peer. The answer is what goes instead. */
  outgoing?(message: PbftMessage, to: PeerId): readonly PbftMessage[];
  /** Somebody's message arrived, before the node sees it. */
  incoming?(message: PbftMessage, bytes: Uint8Array, from: PeerId): void;
  /** False keeps the node's gossip back. */
  publishes?(topic: Topic, bytes: Uint8Array): boolean;
  /** A client brings a transaction; false keeps it from the node, which is all that the client learns. */
  accepts?(bytes: Uint8Array): boolean;
  /** Gossip arrived; a verdict here keeps it from the node. */
  hears?(topic: Topic, bytes: Uint8Array): GossipVerdict | undefined;
  /** The node answers a request. What is given to `respond` goes instead: at once, later or never. */
  serves?(asked: Asked, response: Uint8Array | null, respond: (response: Uint8Array | null) => void): void;
  start?(node: OwnNode): void;
}

/** Everything of a message but its epoch and its signature, to be changed and signed anew. */
export function draftOf(message: PbftMessage): Draft {
  const { signature: _signature, epoch: _epoch, ...draft } = message;
  return draft;
}

/** Splits peers into two halves, the same way each time for one liar. */
export class Halves {
  readonly #second = new Map<PeerId, boolean>();
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  inSecond(peer: PeerId): boolean {
    let side = this.#second.get(peer);
    if (side === undefined) {
      side = this.#chance.happens(0.5);
      this.#second.set(peer, side);
    }
    return side;
  }
}
