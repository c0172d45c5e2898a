import { hash as sha256 } from 'node:crypto';
import { limits } from '../../base/limits.ts';
import { peerAtFault } from '../../base/peer-faults.ts';
import { Problem } from '../../base/problem.ts';
import type { MonotonicMs, ValidatorIndex, Verified } from '../../consensus/engine.ts';
import type { MessageClaims, Protocol, Roster } from '../../consensus/protocol.ts';
import type { SignatureClaim, Verifier } from '../../crypto/signature.ts';
import type { Height } from '../../ledger/block.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { Mempool } from '../../mempool/mempool.ts';
import type { PeerId } from '../../network/port.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import { ClaimChecker } from './claim-checker.ts';
import type { Clock } from '../process/clock.ts';
import { named, type NamedClaim } from './named-claims.ts';
import { PeerBudget } from './peer-budget.ts';
import type { Standing } from './standing.ts';
import { TransactionVerification } from './transaction-verification.ts';

interface VerificationOptions<M extends object> {
  readonly protocol: Protocol<M>;
  readonly verifier: Verifier;
  readonly clock: Clock;
  /** `direct` as the engine has it. */
  readonly wants: (message: M, direct: boolean) => boolean;
  /** Who takes part now. */
  readonly roster: () => Roster;
  /** A message of a later epoch than this one came. */
  readonly onLater?: (epoch: Height) => void;
  /** The validator that a peer proved to be in its hello. */
  readonly validatorOf: (peer: PeerId) => ValidatorIndex | undefined;
  /** Unless given, validators are members, and each other peer is a stranger of its own. */
  readonly standingOf?: (peer: PeerId) => Standing;
  /** Whose word is taken that the transactions that it brings are signed. Nobody's, unless given. */
  readonly vouches?: (peer: PeerId) => boolean;
  /** It remembers the transactions that come there, which are those that were found good here. */
  readonly mempool?: Pick<Mempool, 'knows' | 'sawFinal'>;
  /** A message that nobody but its sender can have made came, wanted or not. */
  readonly onHeard?: (message: M) => void;
  readonly penalise: (peer: PeerId, reason: string) => void;
  /**
   * A peer that is not listened to says something: the connection has to end, so that not even its bytes are
   * decoded.
   */
  readonly cut?: (peer: PeerId, forMs: number) => void;
}

/**
 * What became of a message: good (`wanted` or not), not looked at, or against the rules whatever the reason.
 */
export type MessageVerdict<M> =
  | {
      readonly type: 'good';
      readonly message: Verified<M>;
      readonly wanted: boolean;
      /** It came from its own sender, on its own stream. */
      readonly direct: boolean;
    }
  | {
      readonly type: 'ignored';
      /** There was no room to look at it for this peer: another may bring it. */
      readonly unread?: boolean;
    }
  | { readonly type: 'bad'; readonly problem: Problem };

/** A message on its way to a verdict, with the two answers that end it early. */
interface Case<M> {
  readonly peer: PeerId;
  readonly message: M;
  readonly good: () => void;
  readonly ignore: () => void;
  /** `checked`: signatures that were checked in vain. */
  readonly bad: (problem: Problem, checked?: number) => void;
}

type Inside = NonNullable<MessageClaims['inside']>;

/**
 * The only place where anything becomes `Verified`. Each signature is checked once, the outer one before
 * those inside, and nobody can make us check without end: see `PeerBudget`. What was not checked is
 * `ignored`: nobody vouches for it, and nobody is blamed.
 */
export class Verification<M extends object> {
  readonly #options: VerificationOptions<M>;
  readonly transactions: TransactionVerification;
  readonly #checker: ClaimChecker;
  readonly #budget: PeerBudget;
  /** Digests of messages that were found good with all that stands inside. */
  readonly #whole = new BoundedMap<string, true>(limits.verifiedMessages);
  #underWay = 0;
  readonly counters = { messages: 0, ignored: 0, bad: 0 };

  constructor(options: VerificationOptions<M>) {
    this.#options = options;
    this.#checker = new ClaimChecker(options.verifier, options.mempool);
    this.#budget = new PeerBudget(
      options.standingOf ??
        ((peer) => {
          const known = options.validatorOf(peer) !== undefined;
          return known ? { type: 'member', key: peer } : { type: 'stranger', block: peer };
        }),
    );
    const { clock, vouches } = options;
    const checker = this.#checker;
    const budget = this.#budget;
    this.transactions = new TransactionVerification({ checker, budget, clock, vouches });
  }

  /** Judges a consensus message that a peer delivered on its own stream. `done` may be called at once. */
  directMessage(peer: PeerId, bytes: Uint8Array, done: (verdict: MessageVerdict<M>) => void): void {
    this.#judge({ peer, bytes, relayed: false }, done);
  }

  /**
   * Judges one that came by gossip, from anybody. One that our engine does not want is judged all the same
   * when a validator sealed it or that costs nothing: another may be waiting for it behind us, in a view that
   * this node left.
   */
  relayedMessage(
    peer: PeerId,
    bytes: Uint8Array,
    done: (verdict: MessageVerdict<M>) => void,
    /** Of the seal that it came behind. */
    seal?: SignatureClaim,
  ): void {
    this.#judge({ peer, bytes, relayed: true, ...(seal !== undefined && { seal }) }, done);
  }

  /** For one that this node asked for. */
  certificate(
    certificate: FinalityCertificate,
    roster: Roster,
    done: (result: Verified<FinalityCertificate> | Problem) => void,
  ): void {
    const claims = this.#options.protocol.certificateClaims(certificate, roster);
    if (claims instanceof Problem) return done(claims);
    this.#checker.check(claims.map(named), 'messages', (valid) => {
      done(
        valid.every(Boolean) ? (certificate as Verified<FinalityCertificate>) : wrongSignature('certificate'),
      );
    });
  }

  /** The same for that of a snapshot. */
  snapshotCertificate(
    certificate: FinalityCertificate,
    roster: Roster,
    done: (result: Verified<FinalityCertificate> | Problem) => void,
  ): void {
    this.certificate(certificate, this.#options.protocol.snapshotRoster(certificate, roster), done);
  }

  /** The same for one that a peer brought unasked; `unread` when it has no room for that. */
  gossipedCertificate(
    peer: PeerId,
    certificate: FinalityCertificate,
    roster: Roster,
    done: (result: Verified<FinalityCertificate> | Problem | 'unread') => void,
  ): void {
    const claims = this.#options.protocol.certificateClaims(certificate, roster);
    if (claims instanceof Problem) return done(claims);
    const checking = this.#checkFor(peer, claims.map(named), (valid) => {
      done(valid ? (certificate as Verified<FinalityCertificate>) : wrongSignature('certificate'));
    });
    if (!checking) done('unread');
  }

  /** A fault of a peer that is as bad as a wrong signature, or as several when more was checked in vain. */
  fault(peer: PeerId, reason: string, checked = 0): void {
    const weight = Math.max(1, Math.floor(checked / limits.claimsPerFault));
    this.#budget.fault(peer, this.#now(), weight);
    this.#options.penalise(peer, reason);
    if (this.muted(peer)) this.#cut(peer);
  }

  muted(peer: PeerId): boolean {
    return this.#budget.muted(peer, this.#now());
  }

  /** False when this many bytes of this peer are not to be decoded: it is muted, or sends too many. */
  mayRead(peer: PeerId, bytes: Uint8Array): boolean {
    if (!this.muted(peer)) return this.#budget.takeBytes(peer, bytes.length, this.#now());
    // Another identity of the same key, or from the same place, was muted.
    this.#cut(peer);
    return false;
  }

  /** What was read of a peer took as long as so many more bytes. */
  oweBytes(peer: PeerId, bytes: number): void {
    this.#budget.oweBytes(peer, bytes, this.#now());
  }

  #cut(peer: PeerId): void {
    this.#options.cut?.(peer, limits.peerMuteMs);
  }

  /** Signatures of messages and certificates that have no answer yet. */
  get claimsUnderWay(): number {
    return this.#underWay;
  }

  #now(): MonotonicMs {
    return this.#options.clock.monotonicMs();
  }

  #judge(
    from: { peer: PeerId; bytes: Uint8Array; relayed: boolean; seal?: SignatureClaim },
    done: (verdict: MessageVerdict<M>) => void,
  ): void {
    const { protocol, wants, validatorOf } = this.#options;
    const { peer, bytes, relayed } = from;
    this.counters.messages += 1;
    const ignore = (unread = false): void => {
      this.counters.ignored += 1;
      done({ type: 'ignored', unread });
    };
    const bad = (problem: Problem, checked = 0): void => {
      this.counters.bad += 1;
      this.fault(peer, problem.code, checked);
      done({ type: 'bad', problem });
    };
    if (!this.mayRead(peer, bytes)) return ignore(true);
    const message = protocol.decode(bytes);
    if (message instanceof Problem) return bad(message);
    const roster = this.#options.roster();
    const epoch = protocol.epochOf(message);
    if (epoch !== roster.epoch) {
      // Its sender may be behind, or we are: nobody is blamed for that, and nothing of it can be judged here.
      if (epoch > roster.epoch) this.#options.onLater?.(epoch);
      return ignore();
    }
    const proven = relayed ? undefined : validatorOf(peer);
    const direct = proven !== undefined && proven === protocol.senderOf(message);
    if (protocol.authentication === 'channel') {
      // It may be a member that this node does not know yet, or one that just went.
      if (proven === undefined && !relayed) return ignore();
      if (!direct) return bad(notItsSender());
    }
    if (direct) this.#options.onHeard?.(message);
    const seal = from.seal === undefined ? [] : [named(from.seal)];
    // Gossip brings each message once; one that it brings again after it forgot it was passed on before.
    if (seal.some((claim) => this.#checker.knows(claim))) return ignore();
    const wanted = wants(message, direct);
    if (!wanted && !relayed) return ignore();
    const claims = protocol.claims(message, roster);
    if (claims instanceof Problem) return bad(claims);
    const digest = claims.inside === undefined ? undefined : sha256('sha256', bytes);
    const good = (): void => {
      if (digest !== undefined) this.#whole.set(digest, true);
      if (!direct) this.#options.onHeard?.(message);
      done({ type: 'good', message: message as Verified<M>, wanted, direct });
    };
    const whole = digest !== undefined && this.#whole.has(digest);
    const own = whole ? [] : claims.own.map(named);
    const isFree = whole || (digest === undefined && own.every((claim) => this.#checker.knows(claim)));
    if (!wanted && !isFree && seal.length === 0) return ignore();
    if (whole && seal.length === 0) return good();
    const judged: Case<M> = { peer, message, good, ignore, bad };
    const checking = this.#checkFor(peer, [...seal, ...own], (valid) => {
      if (!valid) bad(wrongSignature('message'));
      else if (whole || claims.inside === undefined) good();
      else this.#open(judged, claims.inside);
    });
    if (!checking) ignore(true);
  }

  /** The outer signature is good: now what stands inside is worth a look. */
  #open(judged: Case<M>, inside: Inside): void {
    const opened = inside.open();
    if (opened instanceof Problem) judged.bad(opened);
    else this.#goOn(judged, opened[Symbol.iterator](), 0);
  }

  /**
   * Checks what stands inside, part by part. Who signed the message answers for the cost, and for what is
   * wrong: the others may have been fooled by its good outer signature as we were. Who brought it should have
   * looked inside before it passed it on.
   */
  #goOn(judged: Case<M>, rest: Iterator<SignatureClaim>, checked: number): void {
    const { protocol } = this.#options;
    const signer = `${protocol.epochOf(judged.message)}/${protocol.senderOf(judged.message)}`;
    const now = this.#now();
    if (this.#budget.mutedInside(signer, now)) return judged.ignore();
    const part = takeFrom(rest, limits.claimsAtOnce).map(named);
    if (part.length === 0) return judged.good();
    const cost = this.#checker.costOf(part);
    const checking = this.#check(part, this.#budget.takeInside(signer, cost, now), (valid) => {
      if (valid) return this.#goOn(judged, rest, checked + cost);
      this.#budget.faultInside(signer, this.#now());
      judged.bad(wrongSignature('message'), checked + cost);
    });
    if (!checking) judged.ignore();
  }

  #checkFor(peer: PeerId, claims: readonly NamedClaim[], done: (valid: boolean) => void): boolean {
    return this.#check(
      claims,
      this.#budget.take(peer, 'claims', this.#checker.costOf(claims), this.#now()),
      done,
    );
  }

  /** False, and nothing is checked, when who answers for it has no room, or the node has none. */
  #check(
    claims: readonly NamedClaim[],
    release: (() => void) | undefined,
    done: (valid: boolean) => void,
  ): boolean {
    if (release === undefined) return false;
    const cost = this.#checker.costOf(claims);
    if (cost > 0 && this.#underWay + cost > limits.verifyingClaims) {
      release();
      return false;
    }
    this.#underWay += cost;
    this.#checker.check(claims, 'messages', (valid) => {
      this.#underWay -= cost;
      release();
      done(valid.every(Boolean));
    });
    return true;
  }
}

/** The next ones, at most this many. */
function takeFrom<T>(rest: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = rest.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

function wrongSignature(what: string): Problem {
  return new Problem('crypto/signature', `a signature of the ${what} is wrong`, {
    remedy: peerAtFault,
  });
}

function notItsSender(): Problem {
  return new Problem(
    'network/not-its-sender',
    'the message claims another sender than the peer it came from',
    {
      remedy: peerAtFault,
    },
  );
}
