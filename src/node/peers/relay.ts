import { concat, toHex } from '../../base/bytes.ts';
import { decode, encode, struct, u16, u48 } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import type { ValidatorIndex } from '../../consensus/engine.ts';
import type { Roster } from '../../consensus/protocol.ts';
import { type Height, heightCodec } from '../../ledger/block.ts';
import { domainPrefix, type Hash, hashToBytes } from '../../crypto/hash.ts';
import { type Signature, type SignatureClaim, signatureCodec } from '../../crypto/signature.ts';

/** In front of a consensus message that goes by gossip: who handed it to gossip, and which time this is. */
interface Seal {
  /** Whose validator, as in the message. */
  readonly epoch: Height;
  readonly from: ValidatorIndex;
  /** Never twice from one process: gossip drops what it has seen, and messages have to be repeated. */
  readonly salt: number;
  readonly signature: Signature;
}

const placeFields = { epoch: heightCodec, from: u16, salt: u48 };
const placeCodec = struct<Omit<Seal, 'signature'>>(placeFields);
export const sealCodec = struct<Seal>({ ...placeFields, signature: signatureCodec });

/** How many bytes stand in front of the message. */
export const sealBytes = 6 + 2 + 6 + 64;

const saltEnd = 2 ** 48;

interface RelayOptions {
  readonly chainId: Hash;
  readonly sign: (bytes: Uint8Array) => Signature;
  /** Who takes part now. */
  readonly roster: () => Roster;
  /** Where the salts begin: another number for each process. */
  readonly salt: number;
}

/**
 * Seals consensus messages for gossip, and opens those of others. The seal makes each repetition new to
 * gossip, also of a message that is signed once in its life; and only a validator can make one, so that
 * nobody else can have everybody pass on old messages again.
 */
export class Relay {
  readonly #options: RelayOptions;
  #salt: number;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#salt = options.salt % saltEnd;
  }

  seal(from: ValidatorIndex, message: Uint8Array): Uint8Array {
    this.#salt = (this.#salt + 1) % saltEnd;
    const place = { epoch: this.#options.roster().epoch, from, salt: this.#salt };
    const signature = this.#options.sign(this.#signed(place, message));
    return concat(encode(sealCodec, { ...place, signature }), message);
  }

  /**
   * The message, and what has to be checked besides its own signatures; or why nobody who keeps the rules
   * passed it on. `other-epoch`: who sealed it may be behind, or this node is, and nobody can tell who it
   * was.
   */
  open(
    bytes: Uint8Array,
  ): { readonly message: Uint8Array; readonly claim: SignatureClaim } | 'other-epoch' | Problem {
    const seal = decode(sealCodec, bytes.subarray(0, sealBytes), 'seal of a relayed message');
    if (seal instanceof Problem) return seal;
    const { epoch, keys } = this.#options.roster();
    if (seal.epoch !== epoch) return 'other-epoch';
    const publicKey = keys[seal.from];
    if (publicKey === undefined) {
      return new Problem(
        'consensus/unknown-relay',
        `the message was handed to gossip by nobody: ${seal.from}`,
        {
          remedy: 'Only validators may: ask who sent it for the version of its software.',
          details: { from: seal.from },
        },
      );
    }
    const message = bytes.subarray(sealBytes);
    const { signature } = seal;
    return { message, claim: { publicKey, message: this.#signed(seal, message), signature } };
  }

  #signed({ epoch, from, salt }: Omit<Seal, 'signature'>, message: Uint8Array): Uint8Array {
    return concat(
      domainPrefix('quorate/v1/relay'),
      hashToBytes(this.#options.chainId),
      encode(placeCodec, { epoch, from, salt }),
      message,
    );
  }
}

/** Names a message, to tell a repetition. */
export const nameOfMessage = (bytes: Uint8Array): string => toHex(bytes.subarray(-64));
