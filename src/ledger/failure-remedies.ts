import type { FailureCode } from './failure-codes.ts';

const look = 'Look at it as it is now, and decide anew: another transaction can be sent when it still fits.';
const version = 'Read the record again ("quorate get KEY"), and decide anew on what it is now.';
const reserved =
  '"quorate reservation RESERVATION" says what is held, for whom and until when, or what became of it.';
const proposals = '"quorate chain status" lists the proposals, with who may approve them.';
const validators =
  'Only those whom "quorate validators list" shows propose and approve, with their own keys.';

/**
 * What to do about a transaction that is final and failed. It paid its fee, and its nonce is used: whatever
 * is sent again is another transaction.
 */
const failureRemedies: Readonly<Record<FailureCode, string>> = {
  'transaction/insufficient-balance':
    'Move less, or wait until the account has received more ("quorate account show ACCOUNT" shows its balance).',
  'transaction/not-owner': '"quorate get KEY" says who owns the record: only that account writes it.',
  'transaction/no-such-record': 'Check the key ("quorate get KEY"): it may have been deleted already.',
  'transaction/unproven-keys':
    'Have as many of the new keys sign as the account will need (quorate: --cosign KEY), so that nobody is locked out.',
  'condition/record-version': version,
  'condition/record-absent': version,
  'condition/record-exists': version,
  'condition/record-hash': version,
  'condition/balance-at-least': look,
  'condition/height-at-most': look,
  'condition/time-at-most': look,
  'transaction/reservation-past': 'Let it end at a later height (quorate: --until +N).',
  'transaction/reservation-too-far': 'Let it end at a lower height, and reserve anew when that comes near.',
  'transaction/reservations-full': 'Let it end a height earlier or later.',
  'transaction/no-such-reservation':
    'Check its name. If it ended long ago, "quorate account history ACCOUNT" shows what became of it.',
  'transaction/not-recipient': reserved,
  'transaction/reservation-expired': 'The coins went back: ask its sender to reserve anew.',
  'transaction/reservation-settled': reserved,
  'transaction/above-reserved': reserved,
  'change/not-a-validator': validators,
  'change/other-validators':
    'Propose it anew, for the validators of now; "quorate chain status" shows what is decided already.',
  'change/members': 'Change the members of a Raft chain with "quorate members add MEMBER" and its like.',
  'change/members-changing': 'Wait until "quorate members list" shows that change made, and propose anew.',
  'change/wrong-expiry':
    'Propose it anew, to be approved until a later height, below the one from which it counts (quorate: --until, --at).',
  'change/proposal-open':
    'Wait until that one is decided or expired, or take its place (quorate: --replace).',
  'change/unknown-proposal': proposals,
  'change/decided': 'Nothing: it is decided. "quorate chain status" says from which height it counts.',
  'change/expired': 'Propose it anew, with more time for the approvals (quorate: --until +N).',
  'change/already-approved':
    'Nothing: the approval counts. "quorate chain status" says how many are missing.',
  'change/height-not-ahead': 'Propose it anew, to count from a later height (quorate: --at +N).',
  'change/version-not-above': '"quorate chain status" says by which version the chain goes now.',
  'change/fee-not-payable': 'Propose a lower fee: the one who proposes must be able to pay it, too.',
  'change/limits': 'Propose limits within the bounds that "quorate chain propose limits --help" names.',
  'change/nothing-changes': 'Nothing: the chain is so already.',
  'change/no-validators': 'Propose a set with one validator at least.',
  'change/repeated-validator': 'Propose a set that names each validator once.',
  'transaction/no-such-namespace':
    'Open what stands before the first "/" ("quorate namespace open NAME --from KEY"), or write under a key without "/".',
  'transaction/namespace-taken': 'Choose another name; "quorate namespace show NAME" says whose it is.',
  'transaction/not-namespace-owner':
    '"quorate namespace show NAME" says who its owner is: only that one can.',
  'transaction/not-writer':
    '"quorate namespace show NAME" lists who may write there; its owner can change that.',
  'transaction/append-only': 'Nothing there is ever changed: write under another key.',
  'transaction/namespace-writers':
    'Name writers in the modes that have some, and none in mode "open" ("quorate namespace show NAME").',
};

/** Undefined for a code that this version does not know. */
export function failureRemedy(code: string): string | undefined {
  return Object.hasOwn(failureRemedies, code) ? failureRemedies[code as FailureCode] : undefined;
}
