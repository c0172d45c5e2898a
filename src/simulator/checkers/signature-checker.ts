import { toHex, utf8 } from '../../base/bytes.ts';
import { decode } from '../../base/codec.ts';
import { Problem } from '../../base/problem.ts';
import { messageCodec } from '../../consensus/pbft/message.ts';
import type { Hash } from '../../crypto/hash.ts';
import { slotCodec, type VotePhase } from '../../ledger/certificate.ts';
import type { Rank } from '../../consensus/pbft/state.ts';
import { promise } from '../breach.ts';

/** What one validator signed that binds it, over all its processes. */
interface Signed {
  readonly slots: Map<string, Hash>;
  /** It left all views below. */
  floor: number;
  /** The highest slot that it signed a Commit for. */
  commit: (Rank & { readonly blockHash: Hash }) | null;
}

/** A vote as it was signed, for whoever else wants to know. */
export interface SignedVote {
  readonly validator: number;
  readonly phase: VotePhase;
  readonly view: number;
  readonly height: number;
  readonly blockHash: Hash;
}

const prefixes = (['pre-prepare', 'prepare', 'commit'] as const).map(
  (phase) => [phase, utf8(`quorate/v1/pbft/${phase}\0`)] as const,
);
const viewChangePrefix = utf8('quorate/v1/pbft/view-change\0');
/** Chain id and validator set, which follow the prefix in everything signed. */
const epochBytes = 64;
const signatureBytes = 64;

/**
 * Stands between every honest validator and its key, and reads what it is about to sign. No honest validator signs two different
 * blocks for one place, anything of a view that it left, or a ViewChange that forgets a Commit (pbft.md, Evidence): not in one process, and not
 * across its restarts, which this knows nothing of. It does not look at what is sent: a signature that exists can leak.
 */
export class SignatureChecker {
  private readonly validators = new Map<number, Signed>();
  private readonly onVote: (vote: SignedVote) => void;

  constructor(onVote: (vote: SignedVote) => void) {
    this.onVote = onVote;
  }

  /** An honest validator signs this. */
  signs(validator: number, preimage: Uint8Array): void {
    for (const [phase, prefix] of prefixes) {
      if (startsWith(preimage, prefix)) {
        const slot = decode(slotCodec, preimage.subarray(prefix.length + epochBytes), 'slot');
        if (slot instanceof Problem) throw slot;
        this.onSlot({ validator, phase, ...slot });
        return;
      }
    }
    if (startsWith(preimage, viewChangePrefix)) this.onViewChange(validator, preimage);
  }

  private onSlot(vote: SignedVote): void {
    const { validator, phase, view, height, blockHash } = vote;
    const signed = this.of(validator);
    const key = `${phase}/${view}/${height}`;
    const before = signed.slots.get(key);
    promise(
      before === undefined || before === blockHash,
      'no-contradiction',
      () => `validator ${validator} signs ${key} for ${blockHash} and did so for ${before} before`,
    );
    promise(
      view >= signed.floor,
      'no-contradiction',
      () => `validator ${validator} signs ${key} after it left all views below ${signed.floor}`,
    );
    signed.slots.set(key, blockHash);
    if (phase === 'commit' && (signed.commit === null || isAbove(vote, signed.commit))) {
      signed.commit = { view, height, blockHash } as Rank & { blockHash: Hash };
    }
    if (before === undefined) this.onVote(vote);
  }

  private onViewChange(validator: number, preimage: Uint8Array): void {
    const unsigned = preimage.subarray(viewChangePrefix.length + epochBytes);
    const bytes = new Uint8Array(unsigned.length + signatureBytes);
    bytes.set(unsigned);
    const message = decode(messageCodec, bytes, 'view change');
    if (message instanceof Problem || message.kind !== 'view-change') {
      throw new Error(`a view change that cannot be read is signed: ${toHex(preimage)}`);
    }
    const signed = this.of(validator);
    promise(
      message.view >= signed.floor,
      'no-contradiction',
      () => `validator ${validator} goes back to view ${message.view} from ${signed.floor}`,
    );
    const key = `view-change/${message.view}`;
    const content = `${rankText(message.finalCertificate)} ${rankText(message.highest)}` as Hash;
    const before = signed.slots.get(key);
    promise(
      before === undefined || before === content,
      'no-contradiction',
      () =>
        `validator ${validator} signs two view changes for view ${message.view}: ${before}, then ${content}`,
    );
    signed.slots.set(key, content);
    signed.floor = message.view;
    const { commit } = signed;
    if (commit === null || commit.view >= message.view) return;
    const known = [message.finalCertificate, message.highest].some(
      (certificate) => certificate !== undefined && !isAbove(commit, certificate),
    );
    promise(
      known,
      'no-contradiction',
      () =>
        `validator ${validator} signs a view change for ${message.view} that forgets its commit at ` +
        `(${commit.view}, ${commit.height}); it names ${content}`,
    );
  }

  private of(validator: number): Signed {
    let signed = this.validators.get(validator);
    if (signed === undefined) {
      signed = { slots: new Map(), floor: 0, commit: null };
      this.validators.set(validator, signed);
    }
    return signed;
  }
}

function isAbove(a: { view: number; height: number }, b: { view: number; height: number }): boolean {
  return a.view > b.view || (a.view === b.view && a.height > b.height);
}

function rankText(certificate: { view: number; height: number; blockHash: Hash } | undefined): string {
  return certificate === undefined
    ? 'none'
    : `(${certificate.view}, ${certificate.height}) ${certificate.blockHash.slice(0, 8)}`;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
