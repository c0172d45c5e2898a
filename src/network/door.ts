import { limits } from '../base/limits.ts';
import { addressBlock } from './address-block.ts';
import { CallerRates } from './caller-rates.ts';

/** How far a caller has come: connected and no more, in the TLS handshake or behind it. */
type Stage = 'silent' | 'securing';

interface Caller {
  readonly host: string;
  readonly block: string;
  readonly end: (cause: Error) => void;
  stage: Stage;
}

/**
 * The address in a multiaddr, `1.2.3.4` in `/ip4/1.2.3.4/tcp/7000`. Undefined when it names
 * a host, or nothing of IP.
 */
export function hostOf(multiaddr: string): string | undefined {
  const [, family, address] = multiaddr.split('/');
  return family === 'ip4' || family === 'ip6' ? address : undefined;
}

/**
 * Callers until their hello is accepted. They have places, and rates for what costs us: each call a little,
 * and the TLS handshake much. Callers from the address of a configured peer or a member have both apart from
 * all others. Nobody is turned away for want of a place: the caller who has shown least goes, so silent ones
 * keep nobody out.
 */
export class Door {
  readonly #now: () => number;
  readonly #isBanned: (block: string) => boolean;
  /** By connection, oldest first. */
  readonly #callers = new Map<object, Caller>();
  readonly #known = new Set<string>();
  readonly #calls: CallerRates;
  readonly #handshakes: CallerRates;

  constructor(options: {
    /** Milliseconds of a monotonic clock. */
    readonly now: () => number;
    /** No stranger from this address block is wanted for now. */
    readonly isBanned: (block: string) => boolean;
  }) {
    this.#now = options.now;
    this.#isBanned = options.isBanned;
    this.#calls = new CallerRates(limits.callers.calls, options.now());
    this.#handshakes = new CallerRates(limits.callers, options.now());
  }

  get size(): number {
    return this.#callers.size;
  }

  /** A member is, or was, at this multiaddr, or a peer that the operator named. */
  know(multiaddr: string): void {
    const host = hostOf(multiaddr);
    if (host === undefined) return;
    this.#known.delete(host);
    this.#known.add(host);
    if (this.#known.size > limits.hostsRemembered) forgetFirst(this.#known);
  }

  /**
   * Somebody calls from this address of IP. False to hang up before it costs anything: too many calls came
   * from there of late, or in all, or no stranger from there is wanted.
   */
  hears(address: string): boolean {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
    const host = mapped ?? address;
    if (this.#known.has(host)) return this.#calls.takeKnown(host, this.#now());
    const block = addressBlock(`/${host.includes(':') ? 'ip6' : 'ip4'}/${host}`);
    return !this.#isBanned(block) && this.#calls.takeStranger(block, this.#now());
  }

  /**
   * Somebody who was heard is connected. False when it is to hang up; otherwise it has a place, and another
   * may have lost it.
   */
  admit(line: object, multiaddr: string, end: (cause: Error) => void): boolean {
    const host = hostOf(multiaddr) ?? multiaddr;
    const block = addressBlock(multiaddr);
    if (this.#isBanned(block) && !this.#known.has(host)) return false;
    this.#callers.set(line, { host, block, end, stage: 'silent' });
    if (this.#callers.size > limits.callers.places) this.#evict(line);
    return true;
  }

  /** The TLS handshake of a caller begins. False when there were too many of late, from there or in all. */
  secure(line: object): boolean {
    const caller = this.#callers.get(line);
    if (caller === undefined) return false;
    caller.stage = 'securing';
    const { host, block } = caller;
    return this.#known.has(host)
      ? this.#handshakes.takeKnown(host, this.#now())
      : this.#handshakes.takeStranger(block, this.#now());
  }

  /** The connection is over, or its hello was accepted. */
  leave(line: object): void {
    this.#callers.delete(line);
  }

  /**
   * Silent ones go before others, those from unknown places before known, those of many before those of
   * few, and the oldest of them.
   */
  #evict(newcomer: object): void {
    const perBlock = new Map<string, number>();
    for (const { block } of this.#callers.values()) perBlock.set(block, (perBlock.get(block) ?? 0) + 1);
    const worth = (caller: Caller): number =>
      (caller.stage === 'silent' ? 0 : 4_000) +
      (this.#known.has(caller.host) ? 2_000 : 0) -
      (perBlock.get(caller.block) ?? 0);
    let victim: { line: object; caller: Caller; worth: number } | undefined;
    for (const [line, caller] of this.#callers) {
      if (line === newcomer) continue;
      if (victim === undefined || worth(caller) < victim.worth)
        victim = { line, caller, worth: worth(caller) };
    }
    if (victim === undefined) return;
    this.#callers.delete(victim.line);
    victim.caller.end(new Error('gave way to another caller'));
  }
}

function forgetFirst<K>(all: { keys(): IterableIterator<K>; delete(key: K): boolean }): void {
  for (const key of all.keys()) {
    all.delete(key);
    return;
  }
}
