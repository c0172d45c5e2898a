import type { GossipSub } from '@libp2p/gossipsub';
import { invariant } from '../base/invariant.ts';
import { limits } from '../base/limits.ts';

/** What gossipsub does not offer in public, where the pinned version keeps it. */
interface Insides {
  readonly seenCache?: { readonly entries?: Map<string, unknown> };
  readonly backoff?: Map<string, unknown>;
  readonly score?: {
    readonly peerStats?: Map<string, { readonly connected: boolean; expire: number }>;
    readonly deliveryRecords?: {
      readonly records?: Map<string, unknown>;
      readonly queue?: { shift(): { readonly msgId: string } | undefined };
      ensureRecord?: (id: string) => object;
      clear?: () => void;
    };
  };
}

/**
 * Gossipsub keeps what it keeps until some time by the wall clock, and looks at the oldest first. When the
 * clock was set back, the oldest stay until that time comes once more, in an hour or a year, and all that
 * comes after them stays as well: a note of each message, who asked too early, and who was here.
 *
 * Answers what is to be called now and then: it lets go of all that when the clock was set back. And notes of
 * messages, which have no bound of their own, are `most` at any time; the oldest go first. They are for
 * scores of topics, of which we have none: more than wait for a verdict at once serve nothing.
 *
 * Fails loudly when a version keeps these elsewhere.
 */
export function followClock(
  router: GossipSub,
  options: { readonly most: number; readonly wallMs: () => number; readonly monotonicMs: () => number },
): () => void {
  const { seenCache, backoff, score } = router as unknown as Insides;
  const { records, queue, ensureRecord: ensure, clear } = score?.deliveryRecords ?? {};
  const notes = score?.deliveryRecords;
  invariant(notes !== undefined && ensure !== undefined && clear !== undefined, 'gossipsub notes messages');
  invariant(records instanceof Map && queue !== undefined, 'gossipsub keeps its notes in a map and a queue');
  const { entries: seen } = seenCache ?? {};
  const present = score?.peerStats;
  invariant(seen instanceof Map && backoff instanceof Map, 'gossipsub keeps what it saw and who has to wait');
  invariant(present instanceof Map, 'gossipsub keeps who was here');

  notes.ensureRecord = (id) => {
    const note = ensure.call(notes, id);
    while (records.size > options.most) {
      const oldest = queue.shift();
      if (oldest === undefined) break;
      records.delete(oldest.msgId);
    }
    return note;
  };
  const aheadMs = (): number => options.wallMs() - options.monotonicMs();
  let before = aheadMs();
  return () => {
    const now = aheadMs();
    const wasSetBack = now < before - limits.clockSetBackMs;
    before = now;
    if (!wasSetBack) return;
    clear.call(notes);
    seen.clear();
    backoff.clear();
    for (const stats of present.values()) if (!stats.connected) stats.expire = -Infinity;
  };
}
