import { setTimeout as sleep } from 'node:timers/promises';
import type { Genesis } from '../../src/ledger/genesis.ts';
import { type Identity, newIdentity } from './identity.ts';
import { RawConnection } from './raw-connection.ts';
import { Stranger } from './stranger.ts';

/** Where an attack takes place. */
export interface Ground {
  readonly nodes: readonly { readonly peers: number; readonly api: number }[];
  readonly genesis: Genesis;
  /** Attackers call from 127.`block`.0.0 and on, so that each attack has an address block of its own. */
  readonly block: number;
}

/** What an attacker did, by its own count. */
export interface Deeds {
  /** Units of whatever it sends. */
  sent: number;
  bytes: number;
  opened: number;
  /** Connections that the nodes ended. */
  ended: number;
  /** Calls that came to nothing. */
  refused: number;
  /** Answers of any kind, in bytes. */
  answered: number;
}

/** How long an attacker waits until it calls again after it was cut off. */
const againMs = 250;
const tickMs = 20;

/** The ground, the means and the count of one attack, until it is over. */
export class Scene {
  readonly ground: Ground;
  readonly signal: AbortSignal;
  readonly deeds: Deeds = { sent: 0, bytes: 0, opened: 0, ended: 0, refused: 0, answered: 0 };
  #callers = 0;

  constructor(ground: Ground, signal: AbortSignal) {
    this.ground = ground;
    this.signal = signal;
  }

  get over(): boolean {
    return this.signal.aborted;
  }

  /** Another address of this attack's block at each call; one and the same with `fixed`. */
  address(fixed = false): string {
    const { block } = this.ground;
    if (process.platform !== 'linux') return '127.0.0.1';
    if (fixed) return `127.${block}.0.1`;
    this.#callers += 1;
    return `127.${block}.${Math.floor(this.#callers / 250) % 250}.${(this.#callers % 250) + 2}`;
  }

  /** A connection with TLS and yamux and nothing more; undefined when it was refused. */
  async dial(
    node: number,
    identity: Identity = newIdentity(),
    from = this.address(),
  ): Promise<RawConnection | undefined> {
    return await this.#count(
      () => RawConnection.dial({ port: this.port(node), localAddress: from, identity }),
      (connection) => connection,
    );
  }

  /** A connection whose hello was accepted; undefined when it was not. */
  async meet(
    node: number,
    identity: Identity = newIdentity(),
    from = this.address(),
  ): Promise<Stranger | undefined> {
    const { chainId } = this.ground.genesis;
    return await this.#count(
      () => Stranger.meet({ port: this.port(node), localAddress: from, identity, chainId }),
      ({ connection }) => connection,
    );
  }

  port(node: number): number {
    return this.ground.nodes[node]?.peers ?? 0;
  }

  /** Counts what was sent; false is passed on. */
  sent(wasSent: boolean, bytes = 0, units = 1): boolean {
    if (wasSent) {
      this.deeds.sent += units;
      this.deeds.bytes += bytes;
    }
    return wasSent;
  }

  /** The same to every node at once. */
  async everywhere(attack: (node: number) => Promise<void>): Promise<void> {
    await Promise.all(this.ground.nodes.map((_, node) => attack(node)));
  }

  /** As a stranger whom the node accepted, again whenever it was cut off. */
  async asStranger(node: number, act: (stranger: Stranger) => Promise<void>): Promise<void> {
    const address = this.address();
    await this.again(async () => {
      const stranger = await this.meet(node, newIdentity(), address);
      if (stranger === undefined) return;
      await act(stranger);
      stranger.connection.close();
    });
  }

  /** Somebody that never said hello, again whenever it was cut off. */
  async asCaller(node: number, act: (connection: RawConnection) => Promise<void>): Promise<void> {
    const address = this.address();
    await this.again(async () => {
      const connection = await this.dial(node, newIdentity(), address);
      if (connection === undefined) return;
      await act(connection);
      connection.close();
    });
  }

  async again(act: () => Promise<void>, pauseMs = againMs): Promise<void> {
    while (!this.over) {
      await act();
      await this.pause(pauseMs);
    }
  }

  /** Calls `step` this many times a second, in small groups, until it says false or the attack is over. */
  async pace(perSecond: number, step: (index: number) => boolean): Promise<void> {
    const begin = performance.now();
    let done = 0;
    while (!this.over) {
      const due = Math.floor(((performance.now() - begin) * perSecond) / 1_000);
      // What could not be sent in time is not made up for.
      done = Math.max(done, due - Math.ceil(perSecond / 10));
      for (; done < due; done++) if (!step(done)) return;
      await this.pause(tickMs);
    }
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal }).catch(() => {});
  }

  /** Until the connection is gone or the attack is over. */
  async whileOpen(connection: RawConnection): Promise<void> {
    while (connection.isOpen && !this.over) await this.pause(100);
  }

  async #count<T>(
    dial: () => Promise<T>,
    connectionOf: (dialled: T) => RawConnection,
  ): Promise<T | undefined> {
    try {
      const dialled = await dial();
      this.deeds.opened += 1;
      const connection = connectionOf(dialled);
      void connection.closed.then(() => {
        if (!this.over && !connection.left) this.deeds.ended += 1;
      });
      return dialled;
    } catch {
      this.deeds.refused += 1;
      return undefined;
    }
  }
}
