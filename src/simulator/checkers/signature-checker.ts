import type { PbftMessage, PrePrepare, ViewChange, Vote } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { VotePhase } from '../../ledger/certificate.ts';
import { promise } from './breach.ts';

interface Place {
  readonly view: number;
  readonly height: number;
}

/** What one validator signed that binds it, over all its processes. */
interface Signed {
  readonly slots: Map<string, string>;
  /** It left all views below. */
  floor: number;
  /** The highest place that it signed a Commit for. */
  commit: Place | null;
  /** The highest height that it voted for. */
  voted: number;
  /** Up to here it may have voted with a disk that is lost: it must not vote there any more. */
  forgotten: number;
}

/** A vote of an honest validator, for whoever else wants to know. */
export interface SignedVote extends Place {
  readonly validator: number;
  readonly phase: VotePhase;
  readonly blockHash: Hash;
}

/**
 * Reads every signed message that an honest validator lets out, from the moment that it may leave: no honest
 * validator shows two different blocks for one place, anything of a view that it left, or a ViewChange that
 * forgets a Commit (what PBFT calls evidence). Not in one process, and not across restarts, of which this
 * knows nothing. (What was signed and lost in a crash before it was on disk binds nobody: it never left.)
 */
export class SignatureChecker {
  readonly #validators = new Map<number, Signed>();
  readonly #onVote: (vote: SignedVote) => void;

  constructor(onVote: (vote: SignedVote) => void) {
    this.#onVote = onVote;
  }

  /** Its disk is another one. What it signed with the old one binds it as before. */
  diskLost(validator: number): void {
    const signed = this.#of(validator);
    signed.forgotten = signed.voted;
  }

  /**
   * It is about to sign this, which will leave unless its process dies first: compared with everything that
   * left before, in any of its processes.
   */
  asks(message: PbftMessage): void {
    const signed = this.#of(message.from);
    if (message.kind === 'view-change' || message.kind === 'new-view') {
      promise(
        message.view >= signed.floor,
        'no-contradiction',
        () =>
          `validator ${message.from} signs a ${message.kind} for ${message.view}, and left all views below ${signed.floor}`,
      );
    }
    if (message.kind !== 'pre-prepare' && message.kind !== 'prepare' && message.kind !== 'commit') return;
    const { kind, from, view, height, blockHash } = message;
    const before = signed.slots.get(`${kind}/${view}/${height}`);
    promise(
      before === undefined || before === blockHash,
      'no-contradiction',
      () => `validator ${from} signs ${kind}/${view}/${height} for ${blockHash}, and before for ${before}`,
    );
    promise(
      before !== undefined || view >= signed.floor,
      'no-contradiction',
      () => `validator ${from} signs ${kind}/${view}/${height} after it left all views below ${signed.floor}`,
    );
    promise(
      height > signed.forgotten,
      'no-contradiction',
      () =>
        `validator ${from} lost its disk and signs ${kind}/${view}/${height}, where it may have voted up to ${signed.forgotten}`,
    );
  }

  /** The message of an honest validator is on disk, or goes out. */
  shows(message: PbftMessage): void {
    switch (message.kind) {
      case 'pre-prepare':
      case 'prepare':
      case 'commit':
        return this.#onSlot(message);
      case 'view-change':
        return this.#onViewChange(message);
      case 'new-view': {
        const content = message.viewChanges.map(({ signature }) => signature).join();
        return this.#only(message.from, `new-view/${message.view}`, content);
      }
      case 'suspect':
      case 'status':
      case 'evidence':
      case 'query-stable':
      case 'reply-stable':
        return;
    }
  }

  #onSlot(message: PrePrepare | Vote): void {
    const { kind: phase, from: validator, view, height, blockHash } = message;
    const key = `${phase}/${view}/${height}`;
    const signed = this.#of(validator);
    const isNew = !signed.slots.has(key);
    this.#only(validator, key, blockHash);
    promise(
      !isNew || view >= signed.floor,
      'no-contradiction',
      () => `validator ${validator} shows ${key} after it left all views below ${signed.floor}`,
    );
    if (phase === 'commit' && (signed.commit === null || isAbove(message, signed.commit))) {
      signed.commit = { view, height };
    }
    signed.voted = Math.max(signed.voted, height);
    if (isNew) this.#onVote({ validator, phase, view, height, blockHash });
  }

  #onViewChange(message: ViewChange): void {
    const { from: validator, view } = message;
    const signed = this.#of(validator);
    const content = `${placeText(message.finalCertificate)} and ${placeText(message.highest)}`;
    const key = `view-change/${view}`;
    promise(
      signed.slots.has(key) || view >= signed.floor,
      'no-contradiction',
      () => `validator ${validator} goes back to view ${view} after it left all views below ${signed.floor}`,
    );
    this.#only(validator, key, content);
    signed.floor = Math.max(signed.floor, view);
    const { commit } = signed;
    if (commit === null || commit.view >= view) return;
    const known = [message.finalCertificate, message.highest].some(
      (certificate) => certificate !== undefined && !isAbove(commit, certificate),
    );
    promise(
      known,
      'no-contradiction',
      () =>
        `validator ${validator} shows a view change for ${view} that forgets its commit at ` +
        `(${commit.view}, ${commit.height}); it names ${content}`,
    );
  }

  /** One content for one place. */
  #only(validator: number, key: string, content: string): void {
    const { slots } = this.#of(validator);
    const before = slots.get(key);
    promise(
      before === undefined || before === content,
      'no-contradiction',
      () => `validator ${validator} shows ${key} for ${content}, and before for ${before}`,
    );
    slots.set(key, content);
  }

  #of(validator: number): Signed {
    let signed = this.#validators.get(validator);
    if (signed === undefined) {
      signed = { slots: new Map(), floor: 0, commit: null, voted: 0, forgotten: 0 };
      this.#validators.set(validator, signed);
    }
    return signed;
  }
}

function isAbove(a: Place, b: Place): boolean {
  return a.view > b.view || (a.view === b.view && a.height > b.height);
}

function placeText(certificate: (Place & { readonly blockHash: Hash }) | undefined): string {
  return certificate === undefined
    ? 'none'
    : `(${certificate.view}, ${certificate.height}) ${certificate.blockHash.slice(0, 8)}`;
}
