import type { PbftMessage, Status } from '../../../consensus/pbft/message.ts';
import { type Books, idleRepeatMs, primaryOf, repeatMs, tickMs } from './books.ts';
import { reaches, type Step } from './step.ts';

/**
 * What a replica owes the others whether or not anything is proposed: to say where it stands, to answer who
 * says so, to send what it signed, to ask for what it lacks, and to propose when it is its turn.
 */
export class TalkDuties {
  readonly #books: Books;
  #statusAt: number;
  #syncAt = Number.NEGATIVE_INFINITY;
  #building = false;
  /** The last build found nothing, and nothing new came since. */
  #nothing = false;
  /** The last Status of each, and when. */
  readonly #statuses = new Map<
    number,
    { readonly status: Status; readonly at: number; readonly view: number; readonly final: number }
  >();

  /**
   * What each showed by all else that it signed: the latest view, whether it takes part in
   * it, and the final height.
   */
  readonly #shown = new Map<
    number,
    { readonly view: number; readonly votes: boolean; readonly final: number }
  >();

  constructor(books: Books, now: number) {
    this.#books = books;
    this.#statusAt = now;
  }

  look(step: Step): void {
    const { now, done, input } = step;
    for (const { message, to } of done.posts)
      if (message.kind === 'status' && to === 'all') this.#statusAt = now;
    if (done.effects.some(({ type }) => type === 'sync')) this.#syncAt = now;
    for (const message of step.heard) {
      if (message.kind === 'status') this.#answer(step, message);
      else this.#noteShown(message);
    }
    if (input.type === 'persisted') this.#mustSend(step);
    if (input.type === 'tick') this.#mustSpeak(step);
    this.#mustPropose(step);
  }

  /** What is on disk leaves at once. */
  #mustSend({ before, done, heard }: Step): void {
    for (const message of heard) {
      if (!('view' in message) || message.view < before.view) continue;
      const sent = done.sends.some(({ message: each, to }) => each === message && to === 'all');
      this.#books.must(
        sent,
        () => `does not send its ${message.kind} of view ${message.view}, which is on its disk`,
      );
    }
  }

  #mustSpeak({ now, after }: Step): void {
    const books = this.#books;
    const silent = now - this.#statusAt;
    books.must(silent < idleRepeatMs + tickMs, () => `said for ${silent} ms not where it stands`);
    // Whoever waits for its own disk alone, to begin the next epoch, lacks nothing that others could send.
    const workSince = after.over ? null : books.workSince;
    const stuckSince = Math.max(books.finalSince, after.normal ? (workSince ?? Infinity) : books.viewSince);
    const stuck = now - Math.max(this.#statusAt, stuckSince);
    books.must(stuck < repeatMs + tickMs, () => `is stuck and said for ${stuck} ms not where it stands`);
    const ahead = [...this.#statuses.values()].filter(({ status }) => status.finalHeight > after.final);
    const behindSince = Math.min(...ahead.map(({ at }) => at));
    const waits = now - Math.max(behindSince, books.finalSince, this.#syncAt);
    books.must(
      ahead.length === 0 || waits < 2 * repeatMs + tickMs,
      () =>
        `knows for ${waits} ms that others are final at ${ahead[0]?.status.finalHeight}, and does not ask for it`,
    );
  }

  #answer(step: Step, status: Status): void {
    const { now, before, after, done } = step;
    const books = this.#books;
    const { from } = status;
    if (from === books.committee.self) return;
    const last = this.#statuses.get(from);
    const [view, final] = [
      Math.max(last?.view ?? 0, status.view),
      Math.max(last?.final ?? 0, status.finalHeight),
    ];
    const same = last !== undefined && last.status.finalHeight === status.finalHeight;
    this.#statuses.set(from, { status, at: same && last.at > books.finalSince ? last.at : now, view, final });
    this.#heardAt.set(from, [...(this.#heardAt.get(from) ?? []), now].slice(-2));
    const [earlier = Number.NEGATIVE_INFINITY] =
      this.#heardAt.get(from)?.length === 2 ? (this.#heardAt.get(from) ?? []) : [];
    if (step.input.type === 'message' && !step.input.direct && this.#isOutdone(status)) return;
    // What is older than what it said before need not be answered, and nobody is answered all the time.
    if (status.view < view || status.finalHeight < final || now - earlier < repeatMs / 2) return;
    if (before.view !== after.view || before.normal !== after.normal || before.final !== after.final) return;
    const told = (kind: PbftMessage['kind']): boolean =>
      done.sends.some(({ message, to }) => message.kind === kind && reaches(to, from)) ||
      done.posts.some(({ message, to }) => message.kind === kind && reaches(to, from));
    if (status.finalHeight < after.final) {
      books.must(
        told('status'),
        () => `does not tell validator ${from}, which is behind, that ${after.final} is final`,
      );
    }
    const lacksView = status.view < after.view || (status.view === after.view && status.changing);
    if (lacksView && after.normal && after.view > 0) {
      books.must(told('new-view'), () => `does not show validator ${from} the new-view of ${after.view}`);
    }
    for (const message of books.own.values()) {
      if (!('view' in message) || message.view !== after.view) continue;
      const isVote =
        message.kind === 'prepare' || message.kind === 'commit' || message.kind === 'pre-prepare';
      const due = isVote
        ? after.normal && message.height > Math.max(status.finalHeight, after.final)
        : message.kind === 'view-change' && !after.normal;
      if (!due) continue;
      const sent = done.sends.some(
        ({ message: each, to }) =>
          each.kind === message.kind && each.signature === message.signature && reaches(to, from),
      );
      books.must(
        sent,
        () =>
          `does not answer validator ${from} (view ${status.view}, final ${status.finalHeight}) with its ${message.kind} of view ${message.view}`,
      );
    }
  }

  #noteShown(message: PbftMessage): void {
    if (!('view' in message)) return;
    const { from, kind } = message;
    const last = this.#shown.get(from) ?? { view: 0, votes: false, final: 0 };
    const view = Math.max(last.view, message.view);
    const isVote = kind === 'prepare' || kind === 'commit' || kind === 'pre-prepare';
    const votes = (view === last.view && last.votes) || (isVote && message.view === view);
    const { window } = this.#books.committee.timing;
    // Nobody votes more than a window above what is final at its place.
    const told = kind === 'view-change' ? message.finalHeight : isVote ? message.height - window : 0;
    this.#shown.set(from, { view, votes, final: Math.max(last.final, told) });
  }

  /**
   * Its sender showed since that it is further. Such a Status counts on its sender's own stream only: anybody
   * else may bring it again and again.
   */
  #isOutdone({ from, view, changing, finalHeight }: Status): boolean {
    const shown = this.#shown.get(from);
    if (shown === undefined) return false;
    return view < shown.view || finalHeight < shown.final || (view === shown.view && changing && shown.votes);
  }

  readonly #heardAt = new Map<number, readonly number[]>();

  /** Whose turn it is proposes when there is something to do and nothing is under way. */
  #mustPropose({ input, before, after, done }: Step): void {
    const books = this.#books;
    if (after.view !== before.view || !after.normal) this.#building = false;
    if (input.type === 'built') {
      this.#building = false;
      if (input.proposal === null) this.#nothing = true;
    }
    if (input.type === 'work' || after.final > before.final) this.#nothing = false;
    if (done.effects.some(({ type }) => type === 'build')) this.#building = true;
    const { base = 0, tip = null } = books.start ?? {};
    const turn = primaryOf(books.committee, after.view, after.final + 1) === books.committee.self;
    const reached = after.final >= Math.max(base, tip?.height ?? 0);
    if (!turn || !reached || !after.normal || !after.votes || books.executable === 0 || this.#nothing) return;
    const begun = this.#building || books.hasSigned('pre-prepare', after.view, after.final + 1) !== undefined;
    books.must(
      begun,
      () =>
        `has its turn at view ${after.view}, height ${after.final + 1} and ${books.executable} transactions, and proposes nothing`,
    );
  }
}
