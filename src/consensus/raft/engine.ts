import { unreachable } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import { toHeight } from '../../ledger/block.ts';
import type { Effect, Engine, EngineStatus, Input } from '../engine.ts';
import type { EngineStart } from '../protocol.ts';
import { hear } from '../shared/contact.ts';
import { takeWork } from '../shared/pacing.ts';
import { takeEffects } from '../shared/step.ts';
import { isForMe, isFromFormer, isWanted, onFormer } from './admission.ts';
import { maybeAskRecoveryIndex, onRecoveryIndex } from './amnesia.ts';
import { takesPart } from './configuration.ts';
import { campaignForTransfer, maybeCampaign, onOwnVoteDurable, onVote, onVoteRequest } from './election.ts';
import { deliverCommits, maybeCatchUp, onApplied, onSynced } from './finality.ts';
import { acknowledge, onAppend, onHeartbeat } from './following.ts';
import { checkInvariants } from './invariants.ts';
import { abandonChange, finishChange, maybeLeaveJoint, maybePart, onMembersRequest } from './membership.ts';
import { heightShown, type RaftMessage } from './message.ts';
import type { RaftOptions } from './options.ts';
import { answer } from './outbox.ts';
import { onAccepted, onConnectionChange, onHeartbeatAnswer, onRejected } from './progress.ts';
import { maybeBuild, onBuilt, onSigned } from './proposing.ts';
import { confirmReads, finishReads, onRead, onReadAnswer, onReadRequest } from './reads.ts';
import { onRunningChain } from './own-use.ts';
import { configurationRecord } from './records.ts';
import type { Replica } from './replica.ts';
import { advanceLeaderCommit, onLoaded, replicate, startRound } from './replication.ts';
import { statusOf, whyOf } from './report.ts';
import { restore } from './restore.ts';
import { becomeFollower } from './roles.ts';
import {
  onCompacted,
  onInstalled,
  onInstallFailed,
  onInstalling,
  onOffered,
  onSnapshotAnswer,
  onSnapshotOffer,
  watchSnapshots,
} from './snapshots.ts';
import { advanceFollowerCommit, onValidated } from './staging.ts';
import type { Leader } from './state.ts';
import { onTick } from './ticking.ts';
import { driveTransfer, finishTransfer, onTransferRequest } from './transfer.ts';
import { onPersisted, write } from './writing.ts';

/**
 * One member of a Raft cluster. Each input is handled by its sub-protocol; then `settle` does
 * whatever has become possible.
 */
export class RaftEngine implements Engine<RaftMessage> {
  /** For tests, the simulator and tools: to look at, not to change. */
  readonly replica: Replica;
  readonly #genesisMembers: number;

  constructor(start: EngineStart, options: RaftOptions) {
    this.replica = {
      chainId: start.chainId,
      key: start.self,
      options,
      state: restore(start, options),
      out: [],
    };
    this.#genesisMembers = start.validators.keys.length;
  }

  step(input: Input<RaftMessage>): readonly Effect<RaftMessage>[] {
    const { replica } = this;
    if (!replica.state.started) this.#begin();
    const { durable } = replica.state;
    handle(replica, input);
    if (replica.state.durable > durable) acknowledge(replica);
    settle(replica);
    checkInvariants(replica);
    return takeEffects(replica);
  }

  status(): EngineStatus {
    return statusOf(this.replica);
  }

  why(): string {
    return whyOf(this.replica);
  }

  wants(message: RaftMessage): boolean {
    return isWanted(this.replica, message);
  }

  /**
   * The first write counts this start; the driver learns the members when the genesis
   * file does not tell them.
   */
  #begin(): void {
    const { state, out } = this.replica;
    state.started = true;
    const { configuration, configurationHeight: height } = state;
    // The crash may have come between the block that started it and its record.
    const unrecorded = height > 0 && !state.configurationRecords.includes(height);
    if (unrecorded) state.configurationRecords.push(height);
    write(this.replica, { records: unrecorded ? [configurationRecord(height, configuration)] : [] });
    if (configuration.length !== this.#genesisMembers || configuration.some(({ role }) => role !== 'voter')) {
      out.push({ type: 'members', members: configuration });
    }
  }
}

function handle(replica: Replica, input: Input<RaftMessage>): void {
  const { state } = replica;
  switch (input.type) {
    case 'tick':
      onTick(replica, input);
      break;
    case 'message':
      onMessage(replica, input.message);
      break;
    case 'built':
      if (state.role.kind === 'leader') onBuilt(replica, state.role, input);
      break;
    case 'signed':
      if (state.role.kind === 'leader') onSigned(replica, state.role, input);
      break;
    case 'validated':
      onValidated(replica, input);
      break;
    case 'persisted':
      for (const term of onPersisted(replica, input.seq)) onOwnVoteDurable(replica, term);
      break;
    case 'applied':
      onApplied(replica, input.height);
      break;
    case 'work':
      takeWork(state.pacing, input.work);
      break;
    case 'synced':
      onRunningChain(replica, toHeight(input.chain.at(-1)?.height ?? 0));
      onSynced(replica, input);
      break;
    case 'offered':
      onRunningChain(replica, input.header.height);
      onOffered(replica, input);
      break;
    case 'connected':
    case 'lost':
      if (state.role.kind === 'leader') onConnectionChange(replica, state.role, input.validator);
      break;
    case 'request':
      onRequest(replica, input);
      break;
    case 'loaded':
      if (state.role.kind === 'leader') onLoaded(replica, state.role, input);
      break;
    case 'compacted':
      onCompacted(replica, input);
      break;
    case 'installing':
      onInstalling(replica, input);
      break;
    case 'installed':
      onInstalled(replica, input);
      break;
    case 'install-failed':
      onInstallFailed(replica, input);
      break;
    default:
      unreachable(input);
  }
}

/**
 * Terms first (section 5.1): a higher one ends every leadership; an old leader is told, and
 * old answers are nothing.
 */
function onMessage(replica: Replica, message: RaftMessage): void {
  const { state } = replica;
  if (!isForMe(state, message)) return;
  if (isFromFormer(replica, message)) return onFormer(replica, message);
  onRunningChain(replica, heightShown(message));
  switch (message.kind) {
    case 'vote-request':
      onVoteRequest(replica, message);
      return;
    case 'append':
      onAppend(replica, message);
      return;
    case 'heartbeat':
      onHeartbeat(replica, message);
      if (message.term === state.term) maybeCatchUp(replica, message.commit.height, message.from);
      return;
    case 'snapshot-offer':
      onSnapshotOffer(replica, message);
      return;
    case 'vote':
      // A granted pre-vote is about the next term, and a refusal may carry a higher one.
      if (message.term > state.term) becomeFollower(replica, message.term, null, 'a higher term was seen');
      onVote(replica, message);
      return;
    case 'timeout-now':
      if (message.term === state.term && state.role.kind === 'follower') campaignForTransfer(replica);
      return;
    case 'read-answer':
      onReadAnswer(replica, message);
      onRecoveryIndex(replica, message);
      return;
    case 'accepted':
    case 'rejected':
    case 'heartbeat-answer':
    case 'read-request':
    case 'snapshot-answer':
      if (message.term > state.term) becomeFollower(replica, message.term, null, 'a higher term was seen');
      if (message.kind === 'read-request') onReadRequest(replica, message);
      else if (message.term === state.term && state.role.kind === 'leader')
        onAnswer(replica, state.role, message);
      return;
    default:
      unreachable(message);
  }
}

function onAnswer(
  replica: Replica,
  role: Leader,
  message: Extract<
    RaftMessage,
    { readonly kind: 'accepted' | 'rejected' | 'heartbeat-answer' | 'snapshot-answer' }
  >,
): void {
  if (!takesPart(replica.state.configuration, message.from)) return;
  hear(role.contact, message.from, replica.state.now);
  switch (message.kind) {
    case 'accepted':
      onAccepted(replica, role, message);
      return;
    case 'rejected':
      onRejected(replica, role, message);
      return;
    case 'heartbeat-answer':
      onHeartbeatAnswer(replica, role, message);
      return;
    case 'snapshot-answer':
      onSnapshotAnswer(replica, role, message);
      return;
    default:
      unreachable(message);
  }
}

function onRequest(
  replica: Replica,
  { id, request }: Extract<Input<RaftMessage>, { readonly type: 'request' }>,
): void {
  switch (request.kind) {
    case 'read':
      onRead(replica, id, request);
      return;
    case 'transfer':
      onTransferRequest(replica, id, request);
      return;
    case 'members':
      onMembersRequest(replica, id, request);
      return;
    default:
      answer(
        replica,
        id,
        new Problem('consensus/unsupported', 'the engine does not know this request', {
          remedy:
            'Run the version on this node that the program has which asks it ("quorate status" shows it).',
        }),
      );
  }
}

/**
 * Whatever has become possible by the input, each rule once, in the order in which they depend on each other.
 */
function settle(replica: Replica): void {
  const { state } = replica;
  maybeCampaign(replica);
  if (state.role.kind === 'leader') advanceLeaderCommit(replica, state.role);
  advanceFollowerCommit(replica);
  deliverCommits(replica);
  if (state.role.kind === 'leader') {
    maybeLeaveJoint(replica, state.role);
    maybeBuild(replica, state.role);
    replicate(replica, state.role);
    driveTransfer(replica, state.role);
    watchSnapshots(replica, state.role);
    while (confirmReads(replica, state.role)) startRound(replica, state.role);
    finishChange(replica, state.role);
    maybePart(replica, state.role);
  }
  maybeAskRecoveryIndex(replica);
  finishReads(replica);
  finishTransfer(replica);
  abandonChange(replica);
}
