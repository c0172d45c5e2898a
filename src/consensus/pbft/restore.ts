import { invariant } from '../../base/invariant.ts';
import { decode } from '../../base/codec.ts';
import { unwrap } from '../../base/problem.ts';
import { type Height, toHeight, toView } from '../../ledger/block.ts';
import { certificateCodec } from '../../ledger/certificate.ts';
import type { FinalityCertificate } from '../../ledger/certificate.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { BlockName, ChainLink, MonotonicMs } from '../engine.ts';
import type { EngineStart, LogTrust } from '../protocol.ts';
import { freshPacing } from '../shared/pacing.ts';
import { freshPatience } from '../shared/patience.ts';
import { neverAsked } from '../shared/sync-ask.ts';
import { stopped } from '../shared/timer.ts';
import { noWrites } from '../shared/write-queue.ts';
import { chainTo } from './chain.ts';
import { messageCodec } from './message-codec.ts';
import { isSlotMessage, type PbftMessage } from './message.ts';
import { logKey } from './signing.ts';
import { hardStateCodec, recordKeys } from './records.ts';
import type { Replica } from './replica.ts';
import { type AcceptedSlot, type AmnesiaGuard, highestOf, type PbftState } from './state.ts';
import { countVote } from './evidence.ts';
import { tallyFor } from './tally.ts';
import { newViewStart, startView } from './view-change.ts';

/** What a replica stands on when it begins. */
interface Beginning {
  readonly final: BlockName & { readonly certificate: FinalityCertificate | null };
  readonly epoch: BlockName;
  readonly validators: ValidatorSet;
  readonly candidates: readonly ChainLink[];
  readonly now: MonotonicMs;
}

/** The state of a replica that has no records of this epoch yet. */
export function freshState(start: Beginning): PbftState {
  const { height, blockHash, certificate } = start.final;
  const final = {
    height,
    blockHash,
    // The block that the epoch stands on is its genesis, whoever signed that.
    certificate: certificate?.engine === 'pbft' && height > start.epoch.height ? certificate : null,
    isLast: false,
  };
  return {
    now: start.now,
    view: toView(0),
    phase: { name: 'normal' },
    viewBase: start.epoch,
    newView: null,
    viewChangeAsked: toView(0),
    newViewAsked: toView(0),
    tipsAsked: new Map(),
    final,
    appliedHeight: height,
    recentFinal: new Map([[height, blockHash]]),
    highest: final.certificate,
    slots: new Map(),
    waiting: new Map(),
    valid: new Map(),
    tallies: new Map(),
    viewChanges: new Map(),
    suspects: new Map(),
    suspectsSent: 0,
    ahead: new Map(),
    own: new Map(),
    restoredUpTo: toHeight(0),
    writes: noWrites(),
    stored: new Map(
      start.candidates.map(({ blockHash, parentHash }) => [blockHash, { parentHash, view: toView(0) }]),
    ),
    pacing: freshPacing(),
    building: null,
    lastFinalAt: start.now,
    patience: freshPatience(),
    progressTimer: stopped(),
    viewSince: start.now,
    attempts: 0,
    tooEarly: null,
    caught: false,
    grounds: null,
    repeatTimer: { dueAt: start.now },
    contact: new Map(),
    peers: start.validators.keys.map(() => ({
      finalHeight: start.epoch.height,
      impliedFinal: start.epoch.height,
      view: toView(0),
      changing: true,
      silent: false,
      answeredAt: Number.NEGATIVE_INFINITY,
      repliedAt: Number.NEGATIVE_INFINITY,
      repliedByRelayAt: Number.NEGATIVE_INFINITY,
    })),
    statusAt: Number.NEGATIVE_INFINITY,
    syncAsk: neverAsked(),
    guard: { name: 'off' },
    unproven: null,
    keyUse: 'known',
    forgottenUpTo: toHeight(0),
    accused: new Set(),
    counters: {},
  };
}

/** The question of this start: what was answered before proves nothing now. */
function learning(nonce: number): AmnesiaGuard {
  return { name: 'learning', nonce, proven: new Map() };
}

type Guard = Pick<PbftState, 'guard' | 'unproven'>;

/**
 * What holds votes back in an epoch that begins, after this one. What is not known to be all that the key
 * signed may lack votes of any later epoch, too: it is asked for anew in each. A replica that has its log, or
 * is through its silence, cannot have voted in an epoch that had not begun here. A key that may only have
 * been used before this machine had it is a new one in an epoch that began since.
 */
export function guardIn(
  { guard, unproven }: Guard,
  { nonce, epochSeen }: { readonly nonce: number; readonly epochSeen: boolean },
): Guard {
  return {
    guard: guard.name === 'off' ? guard : learning(nonce),
    unproven: unproven === null || epochSeen ? null : new Set(),
  };
}

export function nonceOf({ seed }: EngineStart): number {
  return seed % 2 ** 48;
}

/**
 * Goes on from the consensus log. The replica is where it was: it holds its promises, counts its own votes,
 * and has the blocks that it voted for validated again, because their execution is not stored. False when the
 * log holds nothing of this epoch.
 */
export function restore(replica: Replica, start: EngineStart): boolean {
  const { state } = replica;
  const isPresent = restorePosition(replica, start);
  const records: EngineStart['records'] = isPresent ? start.records : new Map();
  const { view } = state;

  const highest = records.get(recordKeys.highest);
  if (highest !== undefined) {
    state.highest = highestOf(state.highest, unwrap(decode(certificateCodec, highest, 'certificate record')));
  }
  if (state.highest !== null && state.highest.view > state.view) {
    // A block of a later view became final here, and the crash came before the position was written.
    state.view = state.highest.view;
    state.phase = { name: 'changing', quorumSince: null };
    state.viewBase = state.final;
  }
  for (const message of ownMessages(start.records)) restoreOwn(replica, message);

  const accepted = records.get(recordKeys.newView);
  if (accepted !== undefined && state.phase.name === 'normal') {
    const newView = unwrap(decode(messageCodec, accepted, 'new-view record'));
    if (newView.kind === 'new-view' && newView.view === view) {
      const { base, tip } = newViewStart(newView.viewChanges, replica.epoch.height);
      startView(replica, newView, base, tip);
      const slot = tip === null ? undefined : state.slots.get(tip.height);
      if (tip !== null && slot === undefined && tip.height > state.final.height) {
        state.slots.set(
          tip.height,
          restoredSlot(tip, {
            prepareAsked: false,
            holders: tip.signatures.map(({ validator }) => validator),
          }),
        );
      }
    }
  }
  return isPresent;
}

/** What an earlier start recorded of the guard holds. */
const isTaken = (log: LogTrust): boolean => log === 'whole' || log === 'new';

/** False when the log holds nothing of this epoch. What it says of the guard holds in any case. */
function restorePosition(replica: Replica, { records, log, epochSeen = false }: EngineStart): boolean {
  const { state, nonce, epoch } = replica;
  if (log === 'vouched') state.keyUse = 'vouched';
  if (log === 'lost') state.guard = learning(nonce);
  const position = records.get(recordKeys.position);
  if (position === undefined) {
    invariant(records.size === 0, 'a consensus log that is not empty has a position');
    if (log === 'new') state.unproven = new Set();
    return false;
  }
  const recorded = unwrap(decode(hardStateCodec, position, 'position record'));
  invariant(recorded.epoch <= epoch.height, 'the log is of no later epoch than the final block');
  if (log !== 'vouched') state.forgottenUpTo = recorded.silentUntil;
  if (isTaken(log)) {
    if (recorded.guard === 'unproven') state.unproven = new Set();
    if (recorded.guard === 'learning') state.guard = learning(nonce);
    if (recorded.guard === 'silent') state.guard = { name: 'silent', until: recorded.silentUntil };
  }
  if (recorded.epoch < epoch.height) {
    Object.assign(state, guardIn(state, { nonce, epochSeen }));
    return false;
  }
  state.view = recorded.view;
  state.attempts = recorded.attempts;
  state.phase = recorded.changing ? { name: 'changing', quorumSince: null } : { name: 'normal' };
  return true;
}

function ownMessages(records: EngineStart['records']): PbftMessage[] {
  const messages: PbftMessage[] = [];
  for (const [key, value] of records) {
    if (!key.includes('/')) continue;
    messages.push(unwrap(decode(messageCodec, value, `record ${key}`)));
  }
  return messages;
}

function restoreOwn(replica: Replica, message: PbftMessage): void {
  const { state } = replica;
  if (message.kind === 'new-view' && message.epoch === replica.epoch.height)
    state.newViewAsked = message.view > state.newViewAsked ? message.view : state.newViewAsked;
  if (!('view' in message)) return;
  // One of an epoch or a view that was left is of no use, and goes with the next write.
  state.own.set(logKey(message), message);
  if (message.epoch !== replica.epoch.height || message.view !== state.view) return;
  if (message.kind === 'view-change') {
    state.viewChanges.set(message.from, message);
    state.viewChangeAsked = message.view;
  }
  if (!isSlotMessage(message) || message.height <= state.final.height) return;
  state.restoredUpTo = toHeight(Math.max(state.restoredUpTo, message.height));
  countVote(replica, tallyFor(replica, message.view, message.height), message.kind, message.from, message);
  const slot = state.slots.get(message.height) ?? restoredSlot(message, { prepareAsked: true, holders: [] });
  state.slots.set(message.height, {
    ...slot,
    parentHash: message.kind === 'pre-prepare' ? message.proposal.header.parentHash : slot.parentHash,
    proposal: message.kind === 'pre-prepare' ? message.proposal : slot.proposal,
    commitAsked: slot.commitAsked || message.kind === 'commit',
  });
}

function restoredSlot(
  place: { readonly height: Height; readonly blockHash: AcceptedSlot['blockHash'] },
  rest: Pick<AcceptedSlot, 'prepareAsked' | 'holders'>,
): AcceptedSlot {
  return {
    height: place.height,
    blockHash: place.blockHash,
    parentHash: null,
    proposal: null,
    validity: 'unavailable',
    retry: { dueAt: 0 },
    commitAsked: false,
    ...rest,
  };
}

/** Fills in the parents of blocks that were validated after a restart. */
export function completeSlots(replica: Replica): void {
  for (const slot of replica.state.slots.values()) {
    if (slot.parentHash !== null || slot.validity !== 'valid') continue;
    const parentHash = chainTo(replica, slot.blockHash)?.at(-1)?.parentHash;
    if (parentHash !== undefined) replica.state.slots.set(slot.height, { ...slot, parentHash });
  }
}
