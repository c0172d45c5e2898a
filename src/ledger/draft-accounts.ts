import { invariant } from '../base/invariant.ts';
import type { PublicKey } from '../crypto/signature.ts';
import type { KeySet } from './operation.ts';
import { type Account, noAccount } from './state-entry.ts';

/** An account in a block. */
export interface DraftAccount {
  readonly publicKey: PublicKey;
  /** As the parent's state has it. */
  readonly before: Account;
  /** What the block's transactions made of it so far: written over as they go on. */
  readonly now: Account;
}

/** A state, as far as it says what accounts have. */
interface AccountsBelow {
  peekAccount(publicKey: PublicKey): Account;
  peekAccounts(publicKeys: readonly PublicKey[]): readonly Account[];
}

/** One object for each account, however many transactions change it; with what undoes the trial under way. */
class Entry implements DraftAccount {
  readonly publicKey: PublicKey;
  readonly before: Account;
  readonly now: { -readonly [Field in keyof Account]: Account[Field] };
  /** The trial that changed it last; none did at first. */
  trial = -1;
  triedBalance: bigint;
  triedHeld: bigint;
  triedKeys: KeySet | undefined;

  constructor(publicKey: PublicKey, before: Account) {
    const { balance, held, nonce, keys } = before;
    this.publicKey = publicKey;
    this.before = before;
    this.now = { balance, held, nonce, keys };
    this.triedBalance = balance;
    this.triedHeld = held;
    this.triedKeys = keys;
  }
}

/** Stands in for accounts that are looked up. */
const expected = new Entry('' as PublicKey, noAccount);

/** What a block makes of accounts. What a transaction does is tried: it stays, or is undone. */
export class DraftAccounts {
  readonly #entries = new Map<PublicKey, Entry>();
  readonly #below: AccountsBelow;
  readonly #changed: Entry[] = [];
  #trial = 0;
  /** The first `#triedCount` were changed in this trial. Overwritten: an emptied array gives memory away. */
  readonly #tried: Entry[] = [];
  #triedCount = 0;

  constructor(below: AccountsBelow) {
    this.#below = below;
  }

  /** Looks at accounts that will be asked for, all together: each once, or more often. */
  expect(publicKeys: readonly PublicKey[]): void {
    const unknown: PublicKey[] = [];
    for (let index = 0; index < publicKeys.length; index++) {
      const publicKey = publicKeys[index] as PublicKey;
      if (this.#entries.has(publicKey)) continue;
      this.#entries.set(publicKey, expected);
      unknown.push(publicKey);
    }
    const accounts = this.#below.peekAccounts(unknown);
    for (let index = 0; index < unknown.length; index++) {
      const publicKey = unknown[index] as PublicKey;
      this.#entries.set(publicKey, new Entry(publicKey, accounts[index] as Account));
    }
  }

  /** An account before the block, and by now. */
  inBlock(publicKey: PublicKey): DraftAccount {
    return this.#entry(publicKey);
  }

  /** What an account has by now: good until it is changed. */
  get(publicKey: PublicKey): Account {
    return this.#entry(publicKey).now;
  }

  /** The sender pays for a transaction and counts it: no trial, which begins behind it, undoes that. */
  pay(publicKey: PublicKey, fee: bigint): void {
    const { now } = this.#change(publicKey);
    now.balance -= fee;
    now.nonce += 1;
  }

  credit(publicKey: PublicKey, amount: bigint): void {
    const { now } = this.#change(publicKey);
    now.balance += amount;
    invariant(now.balance < 2n ** 64n, 'all coins together fit into 64 bits');
  }

  /** False, and nothing changes, when the account has less. */
  debit(publicKey: PublicKey, amount: bigint): boolean {
    if (this.get(publicKey).balance < amount) return false;
    this.#change(publicKey).now.balance -= amount;
    return true;
  }

  /** Sets so much more aside, or less. */
  hold(publicKey: PublicKey, amount: bigint): void {
    const { now } = this.#change(publicKey);
    now.held += amount;
    invariant(now.held >= 0n, 'what is reserved is held');
  }

  setKeys(publicKey: PublicKey, keys: KeySet | undefined): void {
    this.#change(publicKey).now.keys = keys;
  }

  begin(): void {
    this.#trial += 1;
    this.#triedCount = 0;
  }

  /** All is as it was when the trial began. */
  undo(): void {
    for (let index = 0; index < this.#triedCount; index++) {
      const { now, triedBalance, triedHeld, triedKeys } = this.#tried[index] as Entry;
      now.balance = triedBalance;
      now.held = triedHeld;
      now.keys = triedKeys;
    }
    this.begin();
  }

  /** How many were changed since the trial began. */
  get triedCount(): number {
    return this.#triedCount;
  }

  /** Those, in the order in which they first were. */
  tried(index: number): DraftAccount {
    return this.#tried[index] as Entry;
  }

  /** All that were ever changed, in the order in which they first were; what is undone stands as it was. */
  get changed(): readonly DraftAccount[] {
    return this.#changed;
  }

  /** All that were looked at or changed. */
  get seen(): ReadonlyMap<PublicKey, DraftAccount> {
    return this.#entries;
  }

  #entry(publicKey: PublicKey): Entry {
    const known = this.#entries.get(publicKey);
    if (known !== undefined) return known;
    const entry = new Entry(publicKey, this.#below.peekAccount(publicKey));
    this.#entries.set(publicKey, entry);
    return entry;
  }

  #change(publicKey: PublicKey): Entry {
    const entry = this.#entry(publicKey);
    if (entry.trial === this.#trial) return entry;
    if (entry.trial < 0) this.#changed.push(entry);
    const { balance, held, keys } = entry.now;
    entry.trial = this.#trial;
    entry.triedBalance = balance;
    entry.triedHeld = held;
    entry.triedKeys = keys;
    this.#tried[this.#triedCount++] = entry;
    return entry;
  }
}
