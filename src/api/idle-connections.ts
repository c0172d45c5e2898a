import { limits } from '../base/limits.ts';

interface Place<Connection> {
  readonly connection: Connection;
  readonly client: string;
  /** When it became idle, in milliseconds. */
  readonly since: number;
  /** Nothing was asked on it yet. */
  readonly isUnused: boolean;
}

/**
 * Which connection gives way when all places are taken: only idle ones do. First those of whoever has the
 * most, where that is more than a few; then those that came a while ago and were never used; then the
 * others, before those of which we have not read what came; and of each the longest idle. So who keeps
 * connections for a purpose loses none to those who only hold places, at other addresses or behind the same
 * one.
 */
export class IdleConnections<Connection> {
  readonly #stalledMs: number;
  readonly #few: number;
  readonly #isUnread: (connection: Connection) => boolean;
  readonly #countOf = new Map<string, number>();
  /** The longest idle first. */
  readonly #idle = new Map<Connection, Place<Connection>>();

  constructor(options: {
    /** Past it a connection that asked for nothing is not one whose request is on its way. */
    readonly stalledMs: number;
    /** Clients with this many connections or fewer are alike. */
    readonly few?: number;
    /** Bytes came on it that were not read yet: that it waits is our doing. */
    readonly isUnread: (connection: Connection) => boolean;
  }) {
    this.#stalledMs = options.stalledMs;
    this.#few = options.few ?? limits.httpConnectionsFew;
    this.#isUnread = options.isUnread;
  }

  /** A new one, which asked for nothing yet. */
  came(connection: Connection, client: string, now: number): void {
    this.#countOf.set(client, (this.#countOf.get(client) ?? 0) + 1);
    this.#idle.set(connection, { connection, client, since: now, isUnused: true });
  }

  left(connection: Connection, client: string): void {
    this.#idle.delete(connection);
    const left = (this.#countOf.get(client) ?? 0) - 1;
    if (left > 0) this.#countOf.set(client, left);
    else this.#countOf.delete(client);
  }

  /** It has a request. */
  asked(connection: Connection): void {
    this.#idle.delete(connection);
  }

  /** Its last request was answered. */
  rests(connection: Connection, client: string, now: number): void {
    this.#idle.set(connection, { connection, client, since: now, isUnused: false });
  }

  firstToGo(now: number): Connection | undefined {
    const rankOf = ({ connection, client, isUnused, since }: Place<Connection>): number => {
      const count = this.#countOf.get(client) ?? 0;
      const excess = count > this.#few ? count : 0;
      if (this.#isUnread(connection)) return 3 * excess;
      return 3 * excess + (isUnused && now - since >= this.#stalledMs ? 2 : 1);
    };
    let first: Place<Connection> | undefined;
    let most = -1;
    for (const place of this.#idle.values()) {
      const rank = rankOf(place);
      if (rank > most) [first, most] = [place, rank];
    }
    return first?.connection;
  }
}
