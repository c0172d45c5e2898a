import { hashHeader } from '../../../ledger/block.ts';
import type { Hash } from '../../../crypto/hash.ts';
import { type Books, tickMs } from './books.ts';
import { heard, type MessageOf, sent, type Step } from './step.ts';

/** An append that is not answered yet: its last block. */
interface Offered {
  readonly height: number;
  readonly hash: Hash;
  /** The writes up to this one have to be done first: the term is in one of them. */
  readonly seq: number;
}

/**
 * What a follower owes its leader: to refuse what does not fit, with a hint that brings both together; to
 * have what fits checked, and checked again when nobody could supply something; to write what is valid, and
 * to say so when it is on disk; to make final what is committed; and to look elsewhere when the log does not
 * bring it forward.
 */
export class LogDuties {
  readonly #books: Books;
  #offered: Offered[] = [];
  /** Blocks that it asked to have checked. */
  readonly #asked = new Map<Hash, number>();
  /** Those that could not be checked, and since when that is known. */
  readonly #unavailable = new Map<Hash, { readonly height: number; readonly at: number }>();
  /** Handed to the driver as final. */
  #handed: number;
  #behindSince: number | null = null;
  #syncAt = Number.NEGATIVE_INFINITY;
  #asksHistoryAt: number | null = null;

  constructor(books: Books, { applied }: Step['after']) {
    this.#books = books;
    this.#handed = applied;
  }

  look(step: Step): void {
    const { before, after, input, effects, now } = step;
    for (const effect of effects) {
      if (effect.type === 'validate') {
        this.#asked.set(effect.blockHash, effect.height);
        this.#unavailable.delete(effect.blockHash);
      } else if (effect.type === 'sync') this.#syncAt = now;
    }
    if (step.sends.some(({ message }) => message.kind === 'read-request')) this.#asksHistoryAt = now;
    if (after.term !== before.term || after.leader !== before.leader || after.role !== 'follower')
      this.#offered = [];
    const append = heard(step, 'append');
    if (append !== undefined && append.to === after.self && append.from !== after.self)
      this.#mustTake(step, append);
    if (input.type === 'validated') this.#mustWrite(step, input);
    this.#mustAccept(step);
    this.#mustFinish(step);
    if (input.type === 'tick') {
      this.#mustCheckAgain(step);
      this.#mustAskHistory(step);
    }
    this.#mustCatchUp(step);
  }

  #mustTake(step: Step, append: MessageOf<'append'>): void {
    const books = this.#books;
    const { before, after } = step;
    const { from, previous, entries, term } = append;
    if (from >= before.members.length) return;
    if (term < before.term) {
      books.must(
        sent(step, 'rejected', from, (message) => message.term > term),
        () => `does not tell ${from}, who led term ${term}, that it is over`,
      );
      return;
    }
    if (after.leader !== from || after.term !== term) return;
    const { log } = books;
    const seen = (height: number): Hash | undefined => log.stagedAt(height) ?? log.hashAt(height);
    if (previous.height > after.commit && seen(previous.height) !== previous.blockHash) {
      const own = log.termAt(previous.height);
      books.must(
        sent(step, 'rejected', from, (message) => {
          if (message.previous !== previous.height || message.final !== after.commit) return false;
          return own === undefined || log.stagedAt(previous.height) !== undefined
            ? message.next <= previous.height
            : message.next <= previous.height && message.conflictTerm === own;
        }),
        () => `does not tell ${from} that its log has no block ${previous.height} of the leader's`,
      );
      return;
    }
    // What contradicts a final block comes from a leader that was deposed.
    if (previous.height <= after.commit && this.#contradicts(previous)) return;
    let last = { height: previous.height, hash: previous.blockHash };
    for (const [place, { proposal }] of entries.entries()) {
      const { height } = proposal.header;
      const hash = entries[place + 1]?.proposal.header.parentHash ?? hashHeader(proposal.header);
      if (height <= after.commit && this.#contradicts({ height, blockHash: hash })) return;
      books.must(
        height <= after.commit || seen(height) === hash,
        () => `does not take block ${height} that ${from} sends`,
      );
      if (place === entries.length - 1) last = { height, hash };
    }
    // What waits for others above it to be checked is acknowledged with them.
    const first = log.firstStaged();
    if (first !== undefined && log.stagedAt(last.height) === undefined) return;
    this.#offered.push({ ...last, seq: 0 });
    if (this.#offered.length > 64) this.#offered.shift();
  }

  #contradicts({ height, blockHash }: { height: number; blockHash: Hash }): boolean {
    const own = this.#books.log.hashAt(height);
    return own !== undefined && own !== blockHash;
  }

  #mustWrite({ after, now }: Step, input: Extract<Step['input'], { type: 'validated' }>): void {
    const { blockHash, result } = input;
    const { log } = this.#books;
    if (result.verdict === 'unavailable') {
      const height = this.#asked.get(blockHash) ?? 0;
      if (log.stagedAt(height) === blockHash) this.#unavailable.set(blockHash, { height, at: now });
      return;
    }
    if (result.verdict === 'invalid') return;
    // On final blocks that are not stored yet it waits for them.
    this.#books.must(
      log.firstStaged() !== blockHash || after.applied < after.base,
      () => `found block ${blockHash.slice(0, 8)} valid, and does not write it into its log`,
    );
  }

  /** An append is answered when what it brought is on disk, and the term, too. */
  #mustAccept(step: Step): void {
    const { after } = step;
    const books = this.#books;
    if (this.#offered.length === 0 || after.leader === null) return;
    const { leader } = after;
    const told = step.sends.reduce(
      (most, { message, to }) =>
        message.kind === 'accepted' && to.includes(leader) ? Math.max(most, message.block.height) : most,
      -1,
    );
    this.#offered = this.#offered.filter(({ height }) => height > told);
    // Whoever lost its log acknowledges nothing; what came meanwhile, with the next heartbeat after it is
    // trusted again.
    if (after.forgot) this.#offered = [];
    // Until its disk has the term, each word of it waits for all writes that were asked for by then.
    if (books.durableTerm !== after.term) {
      this.#offered = this.#offered.map((offered) => ({ ...offered, seq: books.lastSeq }));
      return;
    }
    this.#offered = this.#offered.filter(({ height, hash, seq }) => {
      const own = books.log.hashAt(height);
      // Another leader's block took its place, or it is in the store only: what is final here was said to be.
      if (own !== undefined && own !== hash) return false;
      const onDisk =
        height <= after.applied || (own === hash && books.durable.has(hash) && height > after.base);
      if (!onDisk || seq > books.doneSeq || books.log.stagedAt(height) !== undefined) return true;
      books.must(
        height < after.base,
        () => `has block ${height} of the leader's on disk, and does not acknowledge it to ${leader}`,
      );
      return false;
    });
  }

  #mustFinish(step: Step): void {
    const { after, effects, input } = step;
    const books = this.#books;
    const word = heard(step, 'heartbeat');
    if (word !== undefined && word.term === after.term && word.from === after.leader) {
      const known = books.log.hashAt(word.commit.height) === word.commit.blockHash;
      books.must(
        !known || after.commit >= word.commit.height,
        () => `has block ${word.commit.height}, hears that it is committed, and does not know it`,
      );
    }
    if (input.type === 'installed') this.#handed = Math.max(this.#handed, after.applied);
    for (const effect of effects) if (effect.type === 'commit') this.#handed = effect.link.height;
    const due = Math.min(after.commit, after.executed);
    books.must(
      books.installing || this.#handed >= due,
      () => `knows that ${due} is committed, and makes no block above ${this.#handed} final`,
    );
  }

  #mustCheckAgain({ after, now }: Step): void {
    const books = this.#books;
    for (const [hash, { height, at }] of this.#unavailable) {
      if (after.leader === null || books.log.stagedAt(height) !== hash) this.#unavailable.delete(hash);
      else
        books.must(
          now - at < books.seat.timing.heartbeatMs + tickMs,
          () => `does not ask again for block ${height}, which nobody could supply`,
        );
    }
  }

  /** Whoever lost its log asks its leader what was final then, until it knows. */
  #mustAskHistory({ after, now }: Step): void {
    const books = this.#books;
    const asks = after.asks && after.leader !== null && after.self !== null;
    if (!asks || !books.startOnDisk) this.#asksHistoryAt = null;
    else {
      this.#asksHistoryAt ??= now;
      const waits = now - this.#asksHistoryAt;
      books.must(
        waits < books.seat.timing.electionTimeoutMs + tickMs,
        () => `lost its log, and does not ask ${after.leader} what was final`,
      );
    }
  }

  #mustCatchUp(step: Step): void {
    const { before, after, now } = step;
    const books = this.#books;
    if (after.commit > before.commit || after.leader === null) this.#behindSince = null;
    const word = heard(step, 'heartbeat');
    if (word === undefined || word.from !== after.leader || word.term !== after.term) return;
    if (word.commit.height <= after.commit) {
      this.#behindSince = null;
      return;
    }
    this.#behindSince ??= now;
    const { electionTimeoutMs } = books.seat.timing;
    const waits = now - Math.max(this.#behindSince, this.#syncAt);
    books.must(
      waits < electionTimeoutMs + tickMs,
      () =>
        `hears for ${waits} ms that ${word.commit.height} is committed, has ${after.commit}, and asks nobody for it`,
    );
  }
}
