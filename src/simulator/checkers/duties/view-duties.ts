import type { PbftMessage, Suspect, ViewChange } from '../../../consensus/pbft/message.ts';
import { type Books, faultyOf, isAbove, quorumOf, repeatMs, tickMs } from './books.ts';
import type { Place, Step } from './step.ts';

/**
 * When a replica leaves its view, joins another and suspects its primary: when it must, and that it does not
 * otherwise. One that leaves for no reason costs a view; one that does not leave keeps the others waiting.
 */
export class ViewDuties {
  readonly #books: Books;
  /** The latest of each other validator. */
  readonly #changes = new Map<number, ViewChange>();
  readonly #suspects = new Map<number, { readonly suspect: Suspect; readonly at: number }>();
  /** The last Suspect of its own. */
  #posted: { readonly suspect: Suspect; readonly at: number } | null = null;
  #changeSentAt = Number.NEGATIVE_INFINITY;
  #newViewAsked = -1;
  #quorumSince: number | null = null;
  /** The highest certificate that a new view showed it. */
  #shown: { readonly view: number; readonly height: number } | null = null;

  constructor(books: Books) {
    this.#books = books;
    for (const message of books.own.values())
      if (message.kind === 'new-view') this.#newViewAsked = message.view;
  }

  look(step: Step): void {
    for (const message of step.heard) this.#hear(step, message);
    this.#mayLeave(step);
    this.#mustLeave(step);
    this.#mustOpen(step);
    this.#mustEnter(step);
    this.#noteOwn(step);
    this.#mustRepeat(step);
  }

  #hear(step: Step, message: PbftMessage): void {
    const { self } = this.#books.committee;
    const { now, before } = step;
    // Also of one that begins a view with them that may not be entered.
    if (message.kind === 'new-view') for (const change of message.viewChanges) this.#hear(step, change);
    if (message.from === self) return;
    if (message.kind === 'view-change') {
      const earlier = this.#changes.get(message.from);
      if (earlier === undefined || earlier.view < message.view) this.#changes.set(message.from, message);
    }
    if (message.kind !== 'suspect' || message.view < before.view) return;
    const earlier = this.#suspects.get(message.from)?.suspect;
    // What somebody replays is older than what its sender said since.
    if (earlier !== undefined && !isLater(message, earlier)) return;
    this.#suspects.set(message.from, { suspect: message, at: now });
  }

  /** A view ends for a reason that others know of, or that can be shown to them. */
  #mayLeave(step: Step): void {
    const { before, after, heard, done, now, input } = step;
    if (after.view === before.view) return;
    const books = this.#books;
    const { size, timing } = books.committee;
    const weak = faultyOf(size) + 1;
    const proof = heard.some((message) => provesView(message, after.view));
    const synced =
      input.type === 'synced' && 'view' in input.certificate && input.certificate.view >= after.view;
    // Votes complete a certificate, too, and so does a block that is known now: of a view that was reached.
    if (proof || synced) return;
    const later = [...this.#changes.values()]
      .filter(({ view }) => view > before.view)
      .map(({ view }) => view);
    if (later.length >= weak && after.view <= Math.max(before.view + 1, Math.min(...later))) return;
    // It may be entered and left in one step: what was suspected there was known before.
    const entered = heard.some(
      (message) =>
        message.kind === 'new-view' && message.view === after.view - 1 && message.view >= before.view,
    );
    const left = entered ? after.view - 1 : before.view;
    const against = new Set(later.filter((view) => view > left).map((_, index) => `later ${index}`));
    for (const [from, { suspect }] of this.#suspects)
      if (
        suspect.view === left &&
        suspect.reason !== 'withdrawn' &&
        (this.#changes.get(from)?.view ?? 0) <= left
      )
        against.add(String(from));
    const own = this.#posted?.suspect.view === left || posts(step, 'suspect').length > 0;
    const next = after.view === left + 1;
    const evidence =
      done.effects.some(({ type }) => type === 'evidence') || heard.some(({ kind }) => kind === 'evidence');
    const caught = done.effects.some(
      (effect) => effect.type === 'trace' && String(effect.data['reason']).includes('contradict'),
    );
    if (next && (evidence || (caught && books.committee.lying.has(left % size)))) return;
    const waited = this.#quorumSince !== null && now - this.#quorumSince >= timing.viewTimeoutMs - tickMs;
    books.must(
      next && (before.normal || entered ? against.size + Number(own) >= weak : waited),
      () => `leaves view ${left} for ${after.view}, with ${against.size + Number(own)} of ${weak} against it`,
    );
  }

  #mustLeave({ before, after, now, heard }: Step): void {
    const books = this.#books;
    const { size } = books.committee;
    const weak = faultyOf(size) + 1;
    const later = [...this.#changes.values()].filter(({ view }) => view > after.view);
    books.must(later.length < weak, () => `stays in view ${after.view}, which ${later.length} others left`);
    const suspected = heard.some(({ kind }) => kind === 'suspect');
    if (!suspected || !before.normal || after.view !== before.view) return;
    // At most f views are left in haste; then each has its time.
    const hasty = books.attempts !== null && books.attempts < weak - 1;
    if (!hasty && now - books.viewSince < books.committee.timing.viewTimeoutCapMs) return;
    const counts = ({ suspect, at }: { suspect: Suspect; at: number }): boolean =>
      suspect.view === after.view &&
      suspect.reason === 'no-progress' &&
      suspect.height > after.final &&
      now - at <= repeatMs;
    const fresh = [...this.#suspects.values()].filter(counts).length;
    const own = this.#posted !== null && counts(this.#posted);
    books.must(
      fresh + Number(own) < weak,
      () => `stays in view ${after.view}, which ${fresh + Number(own)} suspect`,
    );
  }

  /** The next primary opens its view as soon as a quorum is there. */
  #mustOpen({ after, before, now, done }: Step): void {
    const books = this.#books;
    const { size, self } = books.committee;
    for (const message of done.signs) if (message.kind === 'new-view') this.#newViewAsked = message.view;
    if (after.normal) {
      this.#quorumSince = null;
      return;
    }
    if (after.view !== before.view) this.#quorumSince = null;
    const own = books.own.get(books.changeKey(after.view)) === undefined ? 0 : 1;
    const all = [...this.#changes.values()];
    const others = all.filter(({ view }) => view === after.view);
    const here = others.length + own;
    if (all.filter(({ view }) => view >= after.view).length + own >= quorumOf(size))
      this.#quorumSince ??= now;
    if (after.view % size !== self || !after.votes || here < quorumOf(size)) return;
    const mine = books.own.get(books.changeKey(after.view));
    const changes = mine?.kind === 'view-change' ? [...others, mine] : others;
    if (this.#hasOutdated(changes, after) || this.#mayAwait(changes, { after, now })) return;
    books.must(
      this.#newViewAsked >= after.view,
      () => `is the primary of view ${after.view}, has ${here} view changes for it, and does not open it`,
    );
  }

  /** A certificate among these is of a block that is not here: for a while others may come that are not. */
  #mayAwait(changes: readonly ViewChange[], { after, now }: Pick<Step, 'after' | 'now'>): boolean {
    const books = this.#books;
    const isMissing = changes.some(
      ({ highest }) =>
        highest !== undefined && highest.height > after.final && !books.isValid(highest.blockHash, after),
    );
    return isMissing && now - (this.#quorumSince ?? now) < books.mostMs / 4 + tickMs;
  }

  /**
   * One of these may be from before its validator lost its log: then nobody need enter,
   * or open, a view with it.
   */
  #hasOutdated(changes: readonly ViewChange[], { final, certified }: Place): boolean {
    const { window } = this.#books.committee.timing;
    const known = changes.map(({ finalHeight, highest }) =>
      Math.max(finalHeight + window, highest?.height ?? 0),
    );
    const most = Math.max(final + window, certified, ...known);
    return changes.some(({ finalHeight }) => finalHeight + 2 * window < most);
  }

  #mustEnter({ before, after, heard, done }: Step): void {
    const books = this.#books;
    for (const message of heard) {
      if (message.kind !== 'new-view') continue;
      const isNew = message.view > before.view || (message.view === before.view && !before.normal);
      if (!isNew || after.view > message.view || this.#hasOutdated(message.viewChanges, before)) continue;
      books.must(
        after.view === message.view && after.normal,
        () => `does not take part in view ${message.view} after its new-view`,
      );
      const keys = done.effects.flatMap((effect) =>
        effect.type === 'persist' ? effect.records.map(({ key }) => key) : [],
      );
      for (const key of ['position', 'accepted-new-view']) {
        books.must(keys.includes(key), () => `enters view ${message.view} and does not write its ${key}`);
      }
      const tip = books.start?.tip ?? null;
      // Whoever does not have the block need not tell of it again.
      const isHere = tip !== null && books.isValid(tip.blockHash, before);
      if (isHere && (this.#shown === null || isAbove(tip, this.#shown))) this.#shown = tip;
    }
  }

  #noteOwn(step: Step): void {
    const { now, done, before, after } = step;
    const books = this.#books;
    const { committee } = books;
    for (const { message } of done.sends) {
      if (message.kind === 'view-change' && message.from === committee.self && message.view === after.view)
        this.#changeSentAt = now;
    }
    for (const message of done.signs) {
      if (message.kind !== 'view-change') continue;
      books.must(
        message.finalHeight >= before.final,
        () => `changes to view ${message.view} and hides that ${before.final} is final`,
      );
      const names = [message.finalCertificate, message.highest];
      const shown = this.#shown;
      books.must(
        shown === null || names.some((name) => name !== undefined && !isAbove(shown, name)),
        () =>
          `changes to view ${message.view} and names no certificate as high as (${shown?.view}, ${shown?.height}), with which its view began`,
      );
    }
    for (const suspect of posts(step, 'suspect')) {
      if (suspect.kind !== 'suspect') continue;
      if (this.#posted?.suspect.view !== suspect.view) this.#mayFirstSuspect(step, suspect);
      this.#posted = { suspect, at: now };
    }
  }

  /** Nobody is suspected of making no progress before the time that a view has. */
  #mayFirstSuspect({ now, after, before }: Step, suspect: Suspect): void {
    if (suspect.reason !== 'no-progress') return;
    const books = this.#books;
    const least = books.leastMs;
    const waited = now - books.begunAt;
    books.must(
      before.view !== after.view || waited >= least - tickMs,
      () => `suspects the primary of view ${suspect.view} after ${waited} of ${least} ms`,
    );
    books.must(
      now >= books.mustReadUntil,
      () => `suspects the primary of view ${suspect.view} before it reads what came while it stood still`,
    );
  }

  /** Whoever waits says so, again and again. */
  #mustRepeat({ input, now, after, before }: Step): void {
    if (input.type !== 'tick') return;
    const books = this.#books;
    if (!after.normal) {
      const own = books.own.get(books.changeKey(after.view));
      if (own === undefined || before.view !== after.view || now - books.viewSince < 2 * repeatMs) return;
      books.must(
        now - this.#changeSentAt < 2 * repeatMs,
        () => `does not repeat its view change for view ${after.view}`,
      );
      return;
    }
    // What came with the block only is work, too.
    const begun = [books.workSince, books.votedSince].filter((since) => since !== null);
    if (begun.length === 0 || !after.votes) return;
    const most = books.mostMs;
    const waited = now - Math.max(books.viewSince, books.finalSince, Math.min(...begun));
    if (waited < most + repeatMs || now < books.mayReadUntil + repeatMs) return;
    const posted = this.#posted;
    const lately = posted !== null && posted.suspect.view === after.view && now - posted.at < 2 * repeatMs;
    books.must(
      lately,
      () => `waits for ${waited} ms of ${most} in view ${after.view} and does not suspect its primary`,
    );
  }
}

function isLater(a: Suspect, b: Suspect): boolean {
  const [left, right] = [a, b].map(({ view, height, sequence }) => [view, height, sequence]);
  const place = [0, 1, 2].find((at) => left?.[at] !== right?.[at]) ?? 0;
  return Number(left?.[place]) > Number(right?.[place]);
}

/** That others are in this view, or past it: a new view, or a certificate of it. */
function provesView(message: PbftMessage, view: number): boolean {
  switch (message.kind) {
    case 'new-view':
      return message.view >= view || message.viewChanges.some((change) => provesView(change, view));
    case 'view-change':
    case 'status':
    case 'reply-stable':
      return (message.finalCertificate?.view ?? 0) >= view;
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
    case 'suspect':
    case 'evidence':
    case 'query-stable':
      return false;
  }
}

function posts({ done }: Step, kind: PbftMessage['kind']): readonly PbftMessage[] {
  return done.posts.flatMap(({ message }) => (message.kind === kind ? [message] : []));
}
