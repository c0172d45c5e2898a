import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { tellCopiesApart } from '../../src/network/gossip-copies.ts';

/** As much of gossipsub as is used. Members have names with a capital. */
class Router {
  readonly entries = new Map<string, true>();
  readonly seenCache = {
    entries: this.entries,
    has: (name: string): boolean => this.entries.has(name),
    put: (name: string): boolean => this.entries.has(name) || !this.entries.set(name, true),
  };
  readonly settled: ReturnType<typeof tellCopiesApart>;
  readonly #taken: string[] = [];

  constructor() {
    const isMember = (peer: string): boolean => peer !== peer.toLowerCase();
    this.settled = tellCopiesApart(this as unknown as GossipSub, { isMember });
  }

  msgIdFn({ data }: { readonly data: Uint8Array }): Uint8Array {
    return data;
  }

  msgIdToStrFn(id: Uint8Array): string {
    return id.join();
  }

  handleReceivedMessage(from: string, message: { readonly data: Uint8Array }): void {
    const name = this.msgIdToStrFn(this.msgIdFn(message));
    if (this.seenCache.has(name)) return;
    this.seenCache.put(name);
    this.#taken.push(from);
  }

  /** Copies of one message come from these peers, and `became` of each that is taken; who was heard. */
  hear(...copies: readonly (readonly [from: string, became: 'read' | 'unread' | 'waits'])[]): string[] {
    for (const [from, became] of copies) {
      const copy = { topic: 'frames', data: Uint8Array.of(7) };
      const before = this.#taken.length;
      this.handleReceivedMessage(from, copy);
      if (this.#taken.length > before && became !== 'waits') this.settled(copy, became === 'read');
    }
    return this.#taken;
  }
}

describe('copies of a message', () => {
  test('are looked at once, whoever brought the first', () => {
    for (const from of ['A', 'x']) {
      assert.deepEqual(new Router().hear([from, 'read'], ['B', 'read'], ['y', 'read']), [from]);
    }
  });

  test('that nobody looked at are as if they had not come', () => {
    for (const from of ['A', 'x']) {
      const router = new Router();
      assert.deepEqual(router.hear([from, 'unread'], ['y', 'unread'], ['B', 'read'], ['C', 'read']), [
        from,
        'y',
        'B',
      ]);
    }
  });

  test('of strangers that wait hold up those of strangers, and none of a member', () => {
    const router = new Router();
    assert.deepEqual(router.hear(['x', 'waits'], ['y', 'read'], ['A', 'waits'], ['B', 'read']), ['x', 'A']);
    assert.deepEqual(new Router().hear(['A', 'waits'], ['x', 'read']), ['A']);
  });

  test('of one that this node published are none', () => {
    const router = new Router();
    router.seenCache.put('7');
    assert.deepEqual(router.hear(['x', 'read'], ['A', 'read']), []);
  });

  test('in another version, which keeps these elsewhere, are not taken', () => {
    const { seenCache } = new Router();
    const names = { msgIdFn: () => new Uint8Array(), msgIdToStrFn: () => '' };
    const tell = (inside: object): unknown => tellCopiesApart(inside as GossipSub, { isMember: () => true });
    assert.throws(() => tell({}), /keeps what it saw/);
    assert.throws(() => tell({ seenCache }), /names messages/);
    assert.throws(() => tell({ seenCache, ...names }), /one by one/);
  });
});
