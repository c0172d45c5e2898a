import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Protocol, ValidatorIndex, Verified } from '../consensus/engine.ts';
import type { PublicKey, SignatureClaim, Verifier } from '../crypto/signature.ts';
import type { FinalityCertificate } from '../ledger/certificate.ts';
import { type Transaction, transactionSigningBytesOf } from '../ledger/transaction.ts';
import type { PeerId } from '../network/port.ts';
import { ClaimChecker, type NamedClaim } from './claim-checker.ts';
import type { Clock } from './clock.ts';
import { PeerBudget } from './peer-budget.ts';

export interface VerificationOptions<M extends object> {
  readonly protocol: Protocol<M>;
  readonly verifier: Verifier;
  readonly clock: Clock;
  readonly wants: (message: M) => boolean;
  /** The validator that a peer proved to be in the handshake. */
  readonly validatorOf: (peer: PeerId) => ValidatorIndex | undefined;
  readonly penalise: (peer: PeerId, reason: string) => void;
}

/** What became of a message: good (`wanted` or not), not looked at, or against the rules whatever the reason. */
export type MessageVerdict<M> =
  | { readonly type: 'good'; readonly message: Verified<M>; readonly wanted: boolean }
  | { readonly type: 'ignored' }
  | { readonly type: 'bad'; readonly problem: Problem };

/** The only place where anything becomes `Verified`. Each signature is checked once, and no peer can make us check without end. */
export class Verification<M extends object> {
  readonly #options: VerificationOptions<M>;
  readonly #checker: ClaimChecker;
  readonly #budget = new PeerBudget();
  readonly counters = { messages: 0, ignored: 0, bad: 0 };

  constructor(options: VerificationOptions<M>) {
    this.#options = options;
    this.#checker = new ClaimChecker(options.verifier);
  }

  /** Judges a consensus message that a peer delivered on its own stream. `done` may be called at once. */
  directMessage(peer: PeerId, bytes: Uint8Array, done: (verdict: MessageVerdict<M>) => void): void {
    this.#judge({ peer, bytes, relayed: false }, done);
  }

  /**
   * Judges one that came by gossip, from anybody. One that our engine does not want is judged all the same when that costs
   * nothing, because another may be waiting for it behind us.
   */
  relayedMessage(peer: PeerId, bytes: Uint8Array, done: (verdict: MessageVerdict<M>) => void): void {
    this.#judge({ peer, bytes, relayed: true }, done);
  }

  /** One answer per transaction. `strict` is the mempool's rule, otherwise that of blocks. */
  transactions(
    transactions: readonly Transaction[],
    strict: boolean,
    done: (valid: readonly boolean[]) => void,
  ): void {
    this.#checker.check(transactions.map(transactionClaim), strict, done);
  }

  /** `members` as the protocol's `certificateClaims` has it. */
  certificate(
    certificate: FinalityCertificate,
    members: readonly PublicKey[] | undefined,
    done: (result: Verified<FinalityCertificate> | Problem) => void,
  ): void {
    const claims = this.#options.protocol.certificateClaims(certificate, members);
    if (claims instanceof Problem) {
      done(claims);
      return;
    }
    this.#checker.check(claims.map(named), false, (valid) => {
      done(
        valid.every(Boolean) ? (certificate as Verified<FinalityCertificate>) : wrongSignature('certificate'),
      );
    });
  }

  /** A fault of a peer that is as bad as a wrong signature. */
  fault(peer: PeerId, reason: string): void {
    this.#budget.fault(peer, this.#options.clock.monotonicMs());
    this.#options.penalise(peer, reason);
  }

  muted(peer: PeerId): boolean {
    return this.#budget.muted(peer, this.#options.clock.monotonicMs());
  }

  #judge(
    from: { peer: PeerId; bytes: Uint8Array; relayed: boolean },
    done: (verdict: MessageVerdict<M>) => void,
  ): void {
    const { protocol, wants, clock } = this.#options;
    const { peer } = from;
    this.counters.messages += 1;
    const ignore = (): void => {
      this.counters.ignored += 1;
      done({ type: 'ignored' });
    };
    const bad = (problem: Problem): void => {
      this.counters.bad += 1;
      this.fault(peer, problem.code);
      done({ type: 'bad', problem });
    };
    const now = clock.monotonicMs();
    if (this.#budget.muted(peer, now)) return ignore();
    const message = protocol.decode(from.bytes);
    if (message instanceof Problem) return bad(message);
    if (protocol.authentication === 'channel') {
      const proven = from.relayed ? undefined : this.#options.validatorOf(peer);
      // It may be a member that this node does not know yet, or one that just went.
      if (proven === undefined && !from.relayed) return ignore();
      if (proven !== protocol.senderOf(message)) return bad(notItsSender());
    }
    const wanted = wants(message);
    const claims = this.#claimsOf(message, wanted, from.relayed);
    if (claims instanceof Problem) return bad(claims);
    if (claims === undefined || this.#checker.load > limits.verifyingClaims) return ignore();
    if (!this.#budget.take(peer)) return ignore();
    this.#checker.check(claims, false, (valid) => {
      this.#budget.release(peer);
      if (!valid.every(Boolean)) bad(wrongSignature('message'));
      else done({ type: 'good', message: message as Verified<M>, wanted });
    });
  }

  /** What has to be checked; undefined when the message is not worth it. */
  #claimsOf(message: M, wanted: boolean, relayed: boolean): NamedClaim[] | Problem | undefined {
    if (!wanted && !relayed) return undefined;
    const claims = this.#options.protocol.claims(message);
    if (claims instanceof Problem) return claims;
    const namedClaims = claims.map(named);
    const free = namedClaims.every(({ name }) => this.#checker.knows(name, false));
    return wanted || free ? namedClaims : undefined;
  }
}

function named(claim: SignatureClaim): NamedClaim {
  return { name: ClaimChecker.nameOf(claim), claim };
}

/** A transaction's hash covers its signature, so it names its claim. */
function transactionClaim(transaction: Transaction): NamedClaim {
  return {
    name: transaction.hash,
    claim: {
      publicKey: transaction.sender,
      message: transactionSigningBytesOf(transaction),
      signature: transaction.signature,
    },
  };
}

function wrongSignature(what: string): Problem {
  return new Problem('crypto/signature', `a signature of the ${what} is wrong`, {
    remedy: 'Nobody who holds the key made it: do not trust who sent it.',
  });
}

function notItsSender(): Problem {
  return new Problem(
    'network/not-its-sender',
    'the message claims another sender than the peer it came from',
    {
      remedy: 'In this mode a message is only good from its own sender, on its own stream.',
    },
  );
}
