import { Problem } from '../../base/problem.ts';
import { decodeMessage as decodePbft } from '../../consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../consensus/pbft/message.ts';
import { decodeMessage as decodeRaft, type RaftMessage } from '../../consensus/raft/message.ts';
import type { BlockName } from '../../consensus/engine.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { Certificate } from '../../ledger/certificate.ts';
import type { Plan } from './plan.ts';

/** What a message says, in a few words, for whoever watches it fly. Not all of it: what decides something. */
export function messageText(engine: Plan['engine'], bytes: Uint8Array): string {
  const text = engine === 'pbft' ? saidInPbft(decodePbft(bytes)) : saidInRaft(decodeRaft(bytes));
  return text ?? `${bytes.length} bytes`;
}

export function shortHash(hash: Hash): string {
  return hash.slice(0, 6);
}

function saidInPbft(message: PbftMessage | Problem): string | undefined {
  if (message instanceof Problem) return undefined;
  switch (message.kind) {
    case 'pre-prepare': {
      const { proposal } = message;
      return `${slotText(message)}, ${proposal.transactionHashes.length} transactions`;
    }
    case 'prepare':
    case 'commit':
      return slotText(message);
    case 'suspect':
      return `view ${message.view}, ${message.reason} at height ${message.height}`;
    case 'view-change':
      return `to view ${message.view}; final ${message.finalHeight}, best ${certificateText(message.highest)}`;
    case 'new-view':
      return `view ${message.view} begins, by the view changes of ${message.viewChanges.map(({ from }) => from).join(', ')}`;
    case 'status':
      return `view ${message.view}${message.changing ? ' (changing)' : ''}, final ${message.finalHeight}`;
    case 'evidence':
      return `against ${message.proof.accused}: ${message.proof.type}`;
    case 'query-stable':
      return 'it lost its log, and asks how far the others are';
    case 'reply-stable':
      return `final ${message.finalHeight}, best ${certificateText(message.highest)}`;
  }
}

function saidInRaft(message: RaftMessage | Problem): string | undefined {
  if (message instanceof Problem) return undefined;
  const term = `term ${message.term}`;
  switch (message.kind) {
    case 'vote-request':
      return `${term}${message.pre ? ' (asks before it campaigns)' : ''}; its log ends with ${message.lastHeight} of term ${message.lastTerm}`;
    case 'vote':
      return `${term}${message.pre ? ' (before a campaign)' : ''}: ${message.granted ? 'yes' : 'no'}`;
    case 'append': {
      const { previous, entries, commit } = message;
      const what = entries.length === 0 ? 'nothing' : heights(previous.height + 1, entries.length);
      return `${term}: ${what} after ${nameText(previous)}, committed ${commit}`;
    }
    case 'accepted':
      return `${term}: has all up to ${nameText(message.block)}`;
    case 'rejected':
      return `${term}: no match at ${message.previous}, go on at ${message.next}`;
    case 'heartbeat':
      return `${term}, round ${message.round}, committed ${message.commit.height}`;
    case 'heartbeat-answer':
      return `${term}, round ${message.round}, received ${message.received}`;
    case 'timeout-now':
      return `${term}: campaign now`;
    case 'read-request':
      return `${term}: from which block on is a read the newest?`;
    case 'read-answer':
      return `${term}: ${message.height === undefined ? 'it cannot say' : `from ${message.height} on`}`;
    case 'snapshot-offer':
      return `${term}: state after ${nameText(message.snapshot)}`;
    case 'snapshot-answer':
      return `${term}: ${message.state} ${message.height}`;
  }
}

function slotText(slot: {
  readonly view: number;
  readonly height: number;
  readonly blockHash: Hash;
}): string {
  return `block ${nameText(slot)}, view ${slot.view}`;
}

function nameText({ height, blockHash }: Pick<BlockName, 'blockHash'> & { readonly height: number }): string {
  return `${height} (${shortHash(blockHash)})`;
}

function heights(first: number, count: number): string {
  return count === 1 ? `block ${first}` : `blocks ${first} to ${first + count - 1}`;
}

function certificateText(certificate: Certificate | undefined): string {
  return certificate === undefined ? 'none' : `${certificate.phase} of ${slotText(certificate)}`;
}
