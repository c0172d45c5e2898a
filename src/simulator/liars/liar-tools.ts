import { encode } from '../../base/codec.ts';
import type { ValidatorIndex } from '../../consensus/engine.ts';
import { messageCodec } from '../../consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey, Signature } from '../../crypto/signature.ts';
import type { BlockHeader, Height } from '../../ledger/block.ts';
import {
  assembleTransaction,
  encodeBody,
  type Transaction,
  transactionSigningBytes,
} from '../../ledger/transaction.ts';
import type { Network } from '../../network/port.ts';
import type { Chance } from '../world/chance.ts';
import type { LiarTools } from './liar.ts';

const unsigned = '00'.repeat(64) as Signature;

/** A liar's tools on any network: virtual or real. */
export function liarTools(options: {
  /** Where it stands now, and the epoch that it signs in. */
  place: () => { readonly epoch: Height; readonly self: ValidatorIndex; readonly validators: number };
  publicKey: PublicKey;
  chainId: Hash;
  genesis: BlockHeader;
  viewTimeoutMs: number;
  chance: Chance;
  /** The network itself, below the wrapper. */
  network: Pick<Network, 'send' | 'publish' | 'peers'>;
  /** The signature over a message whose own is not yet there. */
  signMessage: (message: PbftMessage) => Signature;
  /** A new key pair, as what signs with it. */
  newKey: () => { readonly publicKey: PublicKey; readonly sign: (bytes: Uint8Array) => Signature };
  /** It made a transaction. */
  transacted?: (transaction: Transaction) => void;
  after: (delayMs: number, call: () => void) => void;
  lied: () => void;
}): LiarTools {
  const { network } = options;
  return {
    get epoch() {
      return options.place().epoch;
    },
    get self() {
      return options.place().self;
    },
    get validators() {
      return options.place().validators;
    },
    publicKey: options.publicKey,
    chainId: options.chainId,
    genesis: options.genesis,
    viewTimeoutMs: options.viewTimeoutMs,
    chance: options.chance,
    sign: (draft) => {
      const message = { ...draft, epoch: options.place().epoch, signature: unsigned } as PbftMessage;
      return { ...message, signature: options.signMessage(message) };
    },
    send: (to, message) => {
      network.send(to, message instanceof Uint8Array ? message : encodeOrNothing(message));
    },
    publish: (topic, bytes) => network.publish(topic, bytes),
    account: () => {
      const { publicKey, sign } = options.newKey();
      return {
        publicKey,
        transact: (body) => {
          const transaction = assembleTransaction(body, [sign(transactionSigningBytes(encodeBody(body)))]);
          options.transacted?.(transaction);
          return transaction;
        },
      };
    },
    peers: () => network.peers(),
    after: (delayMs, call) => options.after(delayMs, call),
    lied: () => options.lied(),
  };
}

/** A lie that no bytes can say (a height below zero) is not told. */
function encodeOrNothing(message: PbftMessage): Uint8Array {
  try {
    return encode(messageCodec, message);
  } catch {
    return new Uint8Array();
  }
}
