import { limits } from '../../../base/limits.ts';
import type { PbftMessage, PrePrepare } from '../../../consensus/pbft/message.ts';
import type { Hash } from '../../../crypto/hash.ts';
import { type Books, primaryOf, quorumOf, repeatMs, startOf, tickMs } from './books.ts';
import type { Place, Step } from './step.ts';

/** How far back the Commits of views that were left count. */
const pastViews = 8;

/**
 * What a replica must do about blocks: accept what an honest primary proposes in its time, have it checked,
 * vote for it when it is valid, commit when a quorum of the honest prepared, and call it final when a quorum
 * of the honest committed. What liars said is not counted: no duty depends on it. And what it must not do:
 * vote for a block that does not stand on what it accepted below.
 */
export class VoteDuties {
  readonly #books: Books;
  /** Blocks that it has to have accepted in this view, by height. */
  readonly #accepted = new Map<number, Hash>();
  /** Proposals of this view on blocks that it has not accepted yet, by height. */
  readonly #waiting = new Map<number, PrePrepare>();
  /** Honest votes, by kind, view and height. */
  readonly #votes = new Map<string, Map<number, Hash>>();
  /** Blocks whose check nobody could finish, and since when that is known. */
  readonly #unavailable = new Map<Hash, { readonly height: number; readonly at: number }>();
  /** Blocks that it asked to have checked in this view. */
  readonly #asked = new Map<Hash, number>();
  /** Those of them that are being checked. */
  readonly #checking = new Set<Hash>();
  readonly #startedAt: number;
  /** When the start of the view was last too far up to be looked at. */
  #farAt = Number.NEGATIVE_INFINITY;

  constructor(books: Books, place: Place, now: number) {
    this.#books = books;
    this.#startedAt = now;
    const tip = books.start?.tip ?? null;
    if (place.normal && tip !== null && tip.height > place.final)
      this.#accepted.set(tip.height, tip.blockHash);
    for (const message of books.own.values()) {
      if (message.kind !== 'prepare' && message.kind !== 'commit' && message.kind !== 'pre-prepare') continue;
      this.#count(message);
      if (message.view === place.view && place.normal && message.height > place.final) {
        this.#accepted.set(message.height, message.blockHash);
      }
    }
  }

  look(step: Step): void {
    const { before, after } = step;
    if (after.view !== before.view || after.normal !== before.normal) this.#enter(step);
    for (const height of [...this.#accepted.keys(), ...this.#waiting.keys()]) {
      if (height > after.final) continue;
      if (this.#books.start?.tip?.height !== height) this.#accepted.delete(height);
      this.#waiting.delete(height);
    }
    for (const message of step.heard) this.#hear(step, message);
    this.#noteChecks(step);
    this.#admit(step);
    this.#mustCheck(step);
    this.#mustVote(step);
    this.#mustFinish(step);
    for (const message of step.done.signs) if (message.kind === 'prepare') this.#mayPrepare(step, message);
  }

  /** A new view: nothing is accepted in it but what it starts from. */
  #enter({ before, after }: Step): void {
    this.#accepted.clear();
    this.#waiting.clear();
    this.#unavailable.clear();
    const asked = before.normal ? [] : [...this.#asked.keys()];
    this.#asked.clear();
    const tip = this.#books.start?.tip ?? null;
    if (!after.normal || tip === null) return;
    // A primary looks at the blocks that it may begin with before it begins.
    if (asked.includes(tip.blockHash)) this.#asked.set(tip.blockHash, tip.height);
    // Final here for long: others get it by sync.
    if (tip.height > after.final || tip.blockHash === after.finalHash)
      this.#accepted.set(tip.height, tip.blockHash);
  }

  #hear(step: Step, message: PbftMessage): void {
    const { before, after } = step;
    const { committee } = this.#books;
    if (message.kind !== 'prepare' && message.kind !== 'commit' && message.kind !== 'pre-prepare') return;
    const { view, height, from } = message;
    const own = from === committee.self;
    if (!own && committee.lying.has(from)) return;
    const inWindow = height > before.final && height <= before.final + committee.timing.window;
    // A tip that is final here still needs votes, so that others can finish it.
    const atTip = view === before.view && height === this.#books.start?.tip?.height && height <= before.final;
    if (message.kind !== 'pre-prepare') {
      const counts =
        view === before.view ||
        (message.kind === 'commit' && view < before.view && view >= before.view - pastViews);
      // An own vote that came to the disk after its view was left never leaves, and does not count.
      if (counts && (own ? view === before.view : inWindow || atTip)) this.#count(message);
      return;
    }
    if (own || view !== before.view || !before.normal || view !== after.view || !after.normal) return;
    const { base = 0, tip = null } = this.#books.start ?? {};
    const first = !this.#waiting.has(height) && !this.#accepted.has(height);
    const due = inWindow && height > (tip?.height ?? base) && from === primaryOf(committee, view, height);
    if (due && first && message.proposal.header.view === view) this.#waiting.set(height, message);
  }

  #count(message: Extract<PbftMessage, { blockHash: Hash }>): void {
    const key = `${message.kind}/${message.view}/${message.height}`;
    const votes = this.#votes.get(key) ?? new Map<number, Hash>();
    this.#votes.set(key, votes);
    if (!votes.has(message.from)) votes.set(message.from, message.blockHash);
  }

  #has(kind: 'prepare' | 'commit', view: number, height: number, blockHash: Hash): boolean {
    let count = 0;
    for (const hash of this.#votes.get(`${kind}/${view}/${height}`)?.values() ?? [])
      if (hash === blockHash) count += 1;
    return count >= quorumOf(this.#books.committee.size);
  }

  /** Proposals whose parent is accepted, or final, by now. */
  #admit({ after }: Step): void {
    for (const [height, { blockHash, proposal }] of [...this.#waiting].sort(([a], [b]) => a - b)) {
      const below = height - 1 === after.final ? after.finalHash : this.#accepted.get(height - 1);
      if (below !== proposal.header.parentHash) continue;
      this.#waiting.delete(height);
      this.#accepted.set(height, blockHash);
    }
  }

  #noteChecks({ now, input, after, done }: Step): void {
    if (input.type === 'validated') {
      const { blockHash, result } = input;
      this.#checking.delete(blockHash);
      const height = this.#asked.get(blockHash);
      const prepare = height === undefined ? undefined : this.#books.hasSigned('prepare', after.view, height);
      const open = result.verdict === 'unavailable' || (result.verdict === 'early' && prepare === undefined);
      if (open && height !== undefined && this.#books.start?.tip?.blockHash !== blockHash) {
        this.#unavailable.set(blockHash, { height, at: now });
      }
    }
    for (const effect of done.effects) {
      if (effect.type !== 'validate') continue;
      this.#asked.set(effect.blockHash, effect.height);
      this.#checking.add(effect.blockHash);
      this.#unavailable.delete(effect.blockHash);
    }
  }

  #mustCheck({ now, input, after }: Step): void {
    const books = this.#books;
    if (input.type === 'tick') {
      for (const [blockHash, { height, at }] of this.#unavailable) {
        if (height <= after.final || books.isValid(blockHash, after)) this.#unavailable.delete(blockHash);
        else
          books.must(
            now - at < repeatMs + tickMs,
            () =>
              `does not ask again for block ${short(blockHash)} of height ${height}, which it could not take for valid yet`,
          );
      }
    }
    // After a start what was voted for is checked with the first tick.
    if (!after.normal || (input.type !== 'tick' && now === this.#startedAt)) return;
    for (const [height, blockHash] of this.#accepted) {
      if (height <= after.final) continue;
      // The start of a view that stands on blocks that are final elsewhere: those come first.
      if (height > after.final + books.committee.timing.window + limits.pbftUnstored) this.#farAt = now;
      if (now - this.#farAt <= repeatMs + tickMs) continue;
      books.must(
        this.#asked.has(blockHash) ||
          books.isValid(blockHash, after) ||
          books.hasSigned('pre-prepare', after.view, height) !== undefined,
        () => `does not look at block ${short(blockHash)}, proposed at view ${after.view}, height ${height}`,
      );
    }
  }

  #mustVote({ after }: Step): void {
    const books = this.#books;
    if (!after.normal || !after.votes) return;
    for (const [height, blockHash] of this.#accepted) {
      if (!books.isValid(blockHash, after) || height <= after.mute) continue;
      const prepare = books.hasSigned('prepare', after.view, height);
      books.must(
        prepare !== undefined || this.#checking.has(blockHash),
        () => `does not prepare the valid block ${short(blockHash)} at view ${after.view}, height ${height}`,
      );
      if (books.own.get(books.voteKey('prepare', after.view, height)) === undefined) continue;
      if (!this.#has('prepare', after.view, height, blockHash)) continue;
      books.must(
        books.hasSigned('commit', after.view, height) !== undefined,
        () =>
          `holds a quorum of prepares for block ${short(blockHash)} at view ${after.view}, height ${height}, and does not commit`,
      );
    }
  }

  #mustFinish({ after }: Step): void {
    const books = this.#books;
    for (const [key, votes] of this.#votes) {
      const [kind, view, height] = key.split('/');
      const [blockHash] = votes.values();
      if (Number(height) <= after.final || Number(view) < after.view - pastViews) this.#votes.delete(key);
      else if (
        kind === 'commit' &&
        blockHash !== undefined &&
        this.#has('commit', Number(view), Number(height), blockHash)
      ) {
        books.must(
          !books.isValid(blockHash, after),
          () =>
            `holds a quorum of commits for the valid block ${short(blockHash)} at height ${height}, and does not call it final`,
        );
      }
    }
  }

  /**
   * The parent of what is prepared is final, or was accepted in this very view; but a view's tip
   * stands for all below it.
   */
  #mayPrepare(
    { after, before, heard }: Step,
    { view, height, blockHash }: Extract<PbftMessage, { kind: 'prepare' }>,
  ): void {
    const books = this.#books;
    // A view that it entered and left in this very step began with a message of this step.
    const entered = heard.find((message) => message.kind === 'new-view' && message.view === view);
    const start = entered?.kind === 'new-view' ? startOf(entered) : books.start;
    const tip = start?.tip ?? null;
    if (tip?.height === height) {
      books.must(tip.blockHash === blockHash, () => `prepares another block than the tip of view ${view}`);
      return;
    }
    books.must(
      height > Math.max(tip?.height ?? 0, start?.base ?? 0),
      () => `prepares height ${height} in view ${view}, which starts above it`,
    );
    books.must(
      height <=
        Math.max(books.restoredUpTo, Math.max(before.final, after.final) + books.committee.timing.window),
      () => `prepares height ${height}, and ${after.final} is final: outside its window`,
    );
    const parent = books.valid.get(blockHash);
    if (
      parent === undefined ||
      height - 1 < after.final ||
      (height - 1 === after.final && parent === after.finalHash)
    )
      return;
    const below = books.hasSigned('prepare', view, height - 1);
    const stands =
      below?.kind === 'prepare'
        ? below.blockHash === parent
        : tip?.height === height - 1 && tip.blockHash === parent;
    books.must(
      stands,
      () =>
        `prepares block ${short(blockHash)} at view ${view}, height ${height}, on a parent that it did not accept there`,
    );
  }
}

const short = (hash: Hash): string => hash.slice(0, 8);
