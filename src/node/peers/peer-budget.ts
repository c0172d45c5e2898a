import { limits } from '../../base/limits.ts';
import { type Rate, TokenBucket } from '../../base/token-bucket.ts';
import type { MonotonicMs } from '../../consensus/engine.ts';
import type { PeerId } from '../../network/port.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import type { Standing } from './standing.ts';

/** What is checked for others: signatures on and in messages and certificates, and new transactions. */
type Work = 'claims' | 'transactions';

interface Allowance {
  readonly underWay: number;
  /** Absent where how fast it may come is bounded by how fast it is done. */
  readonly rate?: Rate;
}

type Rates = Readonly<Record<Work, Allowance>> & { readonly bytes: Rate };

const member: Rates = {
  claims: limits.memberClaims,
  transactions: limits.memberTransactions,
  bytes: limits.memberBytes,
};
const stranger: Rates = {
  claims: limits.strangerClaims,
  transactions: limits.strangerTransactions,
  bytes: limits.strangerBytes,
};
const strangers: Rates = {
  claims: limits.strangersClaims,
  transactions: limits.strangersTransactions,
  bytes: limits.strangersBytes,
};

/**
 * How much checking others may cost us, and what becomes of those who cost it in vain. A member has an
 * account of its own; strangers share one for each address block and one in all, because identities are free.
 * So a flood of strangers takes what is theirs, and nothing of a member's.
 */
export class PeerBudget {
  readonly #standingOf: (peer: PeerId) => Standing;
  /**
   * By key, and of validators also for what they signed; and by address block. Apart, so that no flood of
   * strangers makes us forget a member.
   */
  readonly #members = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #blocks = new BoundedMap<string, Account>(limits.peersRemembered);
  readonly #strangers = new Account(strangers);

  constructor(standingOf: (peer: PeerId) => Standing) {
    this.#standingOf = standingOf;
  }

  /**
   * Room for this much more work of a peer: undefined when there is none, or what gives it back once the work
   * is done.
   */
  take(peer: PeerId, work: Work, amount: number, now: MonotonicMs): (() => void) | undefined {
    return take(this.#accountsOf(peer), work, amount, now);
  }

  /**
   * The same for what stands inside a message, which the validator who signed it answers for, whoever brought
   * it.
   */
  takeInside(signer: string, amount: number, now: MonotonicMs): (() => void) | undefined {
    return take([this.#signer(signer)], 'claims', amount, now);
  }

  /** True when a message of this many bytes of a peer may be decoded. */
  takeBytes(peer: PeerId, size: number, now: MonotonicMs): boolean {
    const accounts = this.#accountsOf(peer);
    const amount = size + limits.messageOverheadBytes;
    if (!accounts.every((account) => account.hasBytes(amount, now))) return false;
    for (const account of accounts) account.takeBytes(amount, now);
    return true;
  }

  /** What was read of a peer took as long as so many more bytes: it may send the less. */
  oweBytes(peer: PeerId, amount: number, now: MonotonicMs): void {
    for (const account of this.#accountsOf(peer)) account.oweBytes(amount, now);
  }

  isStranger(peer: PeerId): boolean {
    return this.#standingOf(peer).type === 'stranger';
  }

  fault(peer: PeerId, now: MonotonicMs, weight = 1): void {
    this.#accountsOf(peer)[0].fault(now, weight);
  }

  /** A validator signed what no correct validator signs. */
  faultInside(signer: string, now: MonotonicMs): void {
    this.#signer(signer).fault(now, limits.peerFaults);
  }

  muted(peer: PeerId, now: MonotonicMs): boolean {
    return this.#accountsOf(peer)[0].isMuted(now);
  }

  mutedInside(signer: string, now: MonotonicMs): boolean {
    return this.#signer(signer).isMuted(now);
  }

  /** Its own first. */
  #accountsOf(peer: PeerId): readonly [Account, ...Account[]] {
    const standing = this.#standingOf(peer);
    return standing.type === 'member'
      ? [accountIn(this.#members, standing.key, member)]
      : [accountIn(this.#blocks, standing.block, stranger), this.#strangers];
  }

  #signer(signer: string): Account {
    return accountIn(this.#members, `signer ${signer}`, member);
  }
}

function accountIn(accounts: BoundedMap<string, Account>, name: string, rates: Rates): Account {
  const account = accounts.get(name) ?? new Account(rates);
  // Set again, so that who was active last is forgotten last.
  accounts.set(name, account);
  return account;
}

function take(
  accounts: readonly Account[],
  work: Work,
  amount: number,
  now: MonotonicMs,
): (() => void) | undefined {
  if (!accounts.every((account) => account.has(work, amount, now))) return undefined;
  for (const account of accounts) account.take(work, amount, now);
  return () => {
    for (const account of accounts) account.release(work, amount);
  };
}

class Account {
  readonly #rates: Rates;
  readonly #underWay: Record<Work, number> = { claims: 0, transactions: 0 };
  readonly #buckets = new Map<Work | 'bytes', TokenBucket>();
  #faults: { at: MonotonicMs; weight: number }[] = [];
  #mutedUntil: MonotonicMs = -Infinity;

  constructor(rates: Rates) {
    this.#rates = rates;
  }

  has(work: Work, amount: number, now: MonotonicMs): boolean {
    const { underWay, rate } = this.#rates[work];
    // What is larger than the room as a whole may go alone.
    const isRoom = this.#underWay[work] === 0 || this.#underWay[work] + amount <= underWay;
    return isRoom && (rate === undefined || this.#bucket(work, rate, now).waitFor(amount, now) === 0);
  }

  take(work: Work, amount: number, now: MonotonicMs): void {
    this.#underWay[work] += amount;
    this.#buckets.get(work)?.owe(amount, now);
  }

  release(work: Work, amount: number): void {
    this.#underWay[work] -= amount;
  }

  hasBytes(amount: number, now: MonotonicMs): boolean {
    return this.#bucket('bytes', this.#rates.bytes, now).has(amount, now);
  }

  takeBytes(amount: number, now: MonotonicMs): void {
    this.#buckets.get('bytes')?.take(amount, now);
  }

  oweBytes(amount: number, now: MonotonicMs): void {
    this.#bucket('bytes', this.#rates.bytes, now).owe(amount, now);
  }

  fault(now: MonotonicMs, weight: number): void {
    this.#faults = this.#faults.filter(({ at }) => at > now - limits.peerFaultWindowMs);
    this.#faults.push({ at: now, weight });
    const sum = this.#faults.reduce((total, fault) => total + fault.weight, 0);
    if (sum < limits.peerFaults) return;
    this.#faults = [];
    this.#mutedUntil = now + limits.peerMuteMs;
  }

  isMuted(now: MonotonicMs): boolean {
    return now < this.#mutedUntil;
  }

  #bucket(name: Work | 'bytes', rate: Rate, now: MonotonicMs): TokenBucket {
    const bucket = this.#buckets.get(name) ?? new TokenBucket(rate, now);
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
