import { unreachable } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import type { Effect, Engine, EngineStart, EngineStatus, Input } from '../engine.ts';
import { hear } from '../shared/contact.ts';
import { takeWork } from '../shared/pacing.ts';
import { takeEffects } from '../shared/step.ts';
import { isWanted, isForMe } from './admission.ts';
import { takesPart } from './configuration.ts';
import { campaignForTransfer, maybeCampaign, onOwnVoteDurable, onVote, onVoteRequest } from './election.ts';
import { deliverCommits, maybeCatchUp, onApplied, onSynced } from './finality.ts';
import {
  acknowledge,
  advanceFollowerCommit,
  onAppend,
  onHeartbeat,
  onValidated,
  retryValidations,
} from './following.ts';
import { abandonChange, maybeLeaveJoint, onMembersRequest } from './membership.ts';
import type { RaftMessage } from './message.ts';
import type { RaftOptions } from './options.ts';
import { answer } from './outbox.ts';
import { maybeBuild, onBuilt, onSigned } from './proposing.ts';
import { confirmReads, finishReads, onRead, onReadAnswer, onReadRequest } from './reads.ts';
import { configurationRecord } from './records.ts';
import {
  advanceLeaderCommit,
  onAccepted,
  onConnectionChange,
  onHeartbeatAnswer,
  onLoaded,
  onRejected,
  replicate,
  startRound,
  tickLeader,
} from './replication.ts';
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
import type { Leader, Raft } from './state.ts';
import { driveTransfer, finishTransfer, onTransferRequest } from './transfer.ts';
import { onPersisted, write } from './writing.ts';

/** One member of a Raft cluster. Each input is handled by its sub-protocol; then `settle` does whatever has become possible. */
export class RaftEngine implements Engine<RaftMessage> {
  /** For tests, the simulator and tools: to look at, not to change. */
  readonly raft: Raft;
  readonly #genesisMembers: number;

  constructor(start: EngineStart, options: RaftOptions) {
    this.raft = {
      chainId: start.chainId,
      key: start.self,
      options,
      state: restore(start, options),
      out: [],
    };
    this.#genesisMembers = start.validators.keys.length;
  }

  step(input: Input<RaftMessage>): readonly Effect<RaftMessage>[] {
    const { raft } = this;
    if (!raft.state.started) this.#begin();
    const { durable } = raft.state;
    handle(raft, input);
    if (raft.state.durable > durable) acknowledge(raft);
    settle(raft);
    return takeEffects(raft);
  }

  status(): EngineStatus {
    return statusOf(this.raft);
  }

  why(): string {
    return whyOf(this.raft);
  }

  wants(message: RaftMessage): boolean {
    return isWanted(this.raft, message);
  }

  /** The first write counts this start; the driver learns the members when the genesis file does not tell them. */
  #begin(): void {
    const { state, out } = this.raft;
    state.started = true;
    const { configuration, configurationHeight: height } = state;
    // The crash may have come between the block that started it and its record.
    const unrecorded = height > 0 && !state.configurationRecords.includes(height);
    if (unrecorded) state.configurationRecords.push(height);
    write(this.raft, { records: unrecorded ? [configurationRecord(height, configuration)] : [] });
    if (configuration.length !== this.#genesisMembers || configuration.some(({ role }) => role !== 'voter')) {
      out.push({ type: 'members', members: configuration });
    }
  }
}

function handle(raft: Raft, input: Input<RaftMessage>): void {
  const { state } = raft;
  switch (input.type) {
    case 'tick':
      state.now = Math.max(state.now, input.now);
      if (state.role.kind === 'leader') tickLeader(raft, state.role);
      retryValidations(raft);
      break;
    case 'message':
      onMessage(raft, input.message);
      break;
    case 'built':
      if (state.role.kind === 'leader') onBuilt(raft, state.role, input);
      break;
    case 'signed':
      if (state.role.kind === 'leader') onSigned(raft, state.role, input);
      break;
    case 'validated':
      onValidated(raft, input);
      break;
    case 'persisted':
      for (const term of onPersisted(raft, input.seq)) onOwnVoteDurable(raft, term);
      break;
    case 'applied':
      onApplied(raft, input.height);
      break;
    case 'work':
      takeWork(state.pacing, input.work);
      break;
    case 'synced':
      onSynced(raft, input);
      break;
    case 'offered':
      onOffered(raft, input);
      break;
    case 'connected':
    case 'lost':
      if (state.role.kind === 'leader') onConnectionChange(raft, state.role, input.validator);
      break;
    case 'request':
      onRequest(raft, input);
      break;
    case 'loaded':
      if (state.role.kind === 'leader') onLoaded(raft, state.role, input);
      break;
    case 'compacted':
      onCompacted(raft, input);
      break;
    case 'installing':
      onInstalling(raft, input);
      break;
    case 'installed':
      onInstalled(raft, input);
      break;
    case 'install-failed':
      onInstallFailed(raft, input);
      break;
    default:
      unreachable(input);
  }
}

/** Terms first (section 5.1): a higher one ends every office; an old leader is told, and old answers are nothing. */
function onMessage(raft: Raft, message: RaftMessage): void {
  const { state } = raft;
  if (!isForMe(state, message)) return;
  switch (message.kind) {
    case 'vote-request':
      onVoteRequest(raft, message);
      return;
    case 'append':
      onAppend(raft, message);
      return;
    case 'heartbeat':
      onHeartbeat(raft, message);
      if (message.term === state.term) maybeCatchUp(raft, message.commit.height, message.from);
      return;
    case 'snapshot-offer':
      onSnapshotOffer(raft, message);
      return;
    case 'vote':
      // A granted pre-vote is about the next term, and a refusal may carry a higher one.
      if (message.term > state.term) becomeFollower(raft, message.term, null, 'a higher term was seen');
      onVote(raft, message);
      return;
    case 'timeout-now':
      if (message.term === state.term && state.role.kind === 'follower') campaignForTransfer(raft);
      return;
    case 'read-answer':
      onReadAnswer(raft, message);
      return;
    case 'accepted':
    case 'rejected':
    case 'heartbeat-answer':
    case 'read-request':
    case 'snapshot-answer':
      if (message.term > state.term) becomeFollower(raft, message.term, null, 'a higher term was seen');
      if (message.kind === 'read-request') onReadRequest(raft, message);
      else if (message.term === state.term && state.role.kind === 'leader')
        onAnswer(raft, state.role, message);
      return;
    default:
      unreachable(message);
  }
}

function onAnswer(
  raft: Raft,
  role: Leader,
  message: Extract<
    RaftMessage,
    { readonly kind: 'accepted' | 'rejected' | 'heartbeat-answer' | 'snapshot-answer' }
  >,
): void {
  if (!takesPart(raft.state.configuration, message.from)) return;
  hear(role.contact, message.from, raft.state.now);
  switch (message.kind) {
    case 'accepted':
      onAccepted(raft, role, message);
      return;
    case 'rejected':
      onRejected(raft, role, message);
      return;
    case 'heartbeat-answer':
      onHeartbeatAnswer(raft, role, message);
      return;
    case 'snapshot-answer':
      onSnapshotAnswer(raft, role, message);
      return;
    default:
      unreachable(message);
  }
}

function onRequest(
  raft: Raft,
  { id, request }: Extract<Input<RaftMessage>, { readonly type: 'request' }>,
): void {
  switch (request.kind) {
    case 'read':
      onRead(raft, id);
      return;
    case 'transfer':
      onTransferRequest(raft, id, request);
      return;
    case 'members':
      onMembersRequest(raft, id, request);
      return;
    default:
      answer(
        raft,
        id,
        new Problem('consensus/unsupported', 'the engine does not know this request', {
          remedy: 'Update the node.',
        }),
      );
  }
}

/** Whatever has become possible by the input, each rule once, in the order in which they depend on each other. */
function settle(raft: Raft): void {
  const { state } = raft;
  maybeCampaign(raft);
  if (state.role.kind === 'leader') advanceLeaderCommit(raft, state.role);
  advanceFollowerCommit(raft);
  deliverCommits(raft);
  if (state.role.kind === 'leader') {
    maybeLeaveJoint(raft, state.role);
    maybeBuild(raft, state.role);
    replicate(raft, state.role);
    driveTransfer(raft, state.role);
    watchSnapshots(raft, state.role);
    while (confirmReads(raft, state.role)) startRound(raft, state.role);
  }
  finishReads(raft);
  finishTransfer(raft);
  abandonChange(raft);
}
