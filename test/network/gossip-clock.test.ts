import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateKeyPair } from '@libp2p/crypto/keys';
import { type GossipSub, gossipsub } from '@libp2p/gossipsub';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { followClock } from '../../src/network/gossip-clock.ts';

/** What is kept of messages, of those who have to wait, and of who was here. */
interface Kept {
  readonly seenCache: { readonly entries: Map<string, unknown>; put(key: string): boolean };
  readonly backoff: Map<string, Map<string, number>>;
  readonly score: {
    readonly peerStats: Map<string, { connected: boolean; expire: number }>;
    readonly deliveryRecords: {
      readonly records: Map<string, unknown>;
      readonly queue: { readonly length: number };
      ensureRecord(id: string): object;
      gc(): void;
    };
    addPeer(id: string): void;
    removePeer(id: string): void;
    refreshScores(): void;
  };
}

const hourMs = 3_600_000;

/** Gossipsub as it is, not started, on clocks of the test. */
async function world(most = 3) {
  const privateKey = await generateKeyPair('Ed25519');
  const logger = Object.assign(() => undefined, { error: () => undefined, trace: () => undefined });
  const router: GossipSub = gossipsub()({
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    logger: { forComponent: () => logger },
  } as unknown as Parameters<ReturnType<typeof gossipsub>>[0]);
  const clock = { wallMs: 2 * hourMs, monotonicMs: 0 };
  const look = followClock(router, {
    most,
    wallMs: () => clock.wallMs,
    monotonicMs: () => clock.monotonicMs,
  });
  return { kept: router as unknown as Kept, clock, look };
}

describe('gossipsub', () => {
  test('keeps notes of so many messages at most, and lets the oldest go', async () => {
    const { kept } = await world();
    const notes = kept.score.deliveryRecords;
    for (const id of ['a', 'b', 'a', 'c', 'd', 'e']) notes.ensureRecord(id);
    assert.deepEqual([...notes.records.keys()], ['c', 'd', 'e']);
    assert.equal(notes.queue.length, 3);
    assert.equal(notes.ensureRecord('e'), notes.records.get('e'));
  });

  test('lets go of what is kept by a clock that was set back, and of nothing while it goes on', async () => {
    const { kept, clock, look } = await world();
    const { score, seenCache, backoff } = kept;
    const keep = (): void => {
      score.deliveryRecords.ensureRecord('a');
      seenCache.put('a');
      backoff.set('topic', new Map([['peer', clock.wallMs + 60_000]]));
    };
    const sizes = (): number[] => [score.deliveryRecords.records.size, seenCache.entries.size, backoff.size];
    for (const peer of ['here', 'gone']) score.addPeer(peer);
    score.removePeer('gone');
    keep();
    for (const stepMs of [1_000, -500, hourMs]) {
      clock.wallMs += stepMs;
      look();
      assert.deepEqual(sizes(), [1, 1, 1]);
    }
    clock.wallMs += 10_000 - hourMs;
    clock.monotonicMs += 10_000;
    look();
    assert.deepEqual(sizes(), [0, 0, 0]);
    assert.equal(score.deliveryRecords.queue.length, 0);
    score.refreshScores();
    assert.deepEqual([...score.peerStats.keys()], ['here']);
    keep();
    look();
    assert.deepEqual(sizes(), [1, 1, 1], 'once for each time');
  });

  test('of another version, which keeps these elsewhere, is not taken', () => {
    const options = { most: 1, wallMs: () => 0, monotonicMs: () => 0 };
    assert.throws(() => followClock({} as GossipSub, options), /gossipsub notes messages/);
  });
});
