import { invariant } from '../../base/invariant.ts';
import type { PublicKey } from '../../crypto/signature.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { Input, LogRecord, ValidatorIndex } from '../engine.ts';
import type { PbftMessage } from './message.ts';
import { nothingNoted } from './noted.ts';
import { tellView, trace } from './outbox.ts';
import { restartTimer } from './progress-timer.ts';
import { recordKeys, stateRecord } from './records.ts';
import { type Replica, viewPrimaryOf } from './replica.ts';
import { freshState, guardIn } from './restore.ts';
import { postStatus } from './status.ts';
import { write } from './writing.ts';

type Applied = Pick<Extract<Input<PbftMessage>, { type: 'applied' }>, 'validators' | 'epochSeen'>;

/**
 * A block is applied. The last one of an epoch ends it: from then on this replica is one of the next epoch,
 * which is a PBFT of its own on top of that block. Views begin at 0, and no earlier vote, certificate,
 * Suspect or ViewChange means anything. That block on the disk says which epoch this is, also after a crash:
 * so nothing is ever signed in an earlier one again.
 */
export function afterBlock(replica: Replica, { validators, epochSeen = false }: Applied): Replica {
  const { final, appliedHeight } = replica.state;
  const isOver = final.isLast && appliedHeight === final.height;
  invariant(isOver === (validators !== undefined), 'the validators change with the last block of an epoch');
  if (validators === undefined) return replica;
  return beginEpoch(replica, validators, epochSeen);
}

function beginEpoch(before: Replica, validators: ValidatorSet, epochSeen: boolean): Replica {
  const { chainId, options, nonce, key, out } = before;
  const { state: old } = before;
  const epoch = { height: old.final.height, blockHash: old.final.blockHash };
  const fresh = freshState({
    final: { ...epoch, certificate: null },
    epoch,
    validators,
    candidates: [],
    now: old.now,
  });
  const replica: Replica = {
    chainId,
    epoch,
    validators,
    options,
    nonce,
    key,
    self: indexOf(key, validators),
    state: {
      ...fresh,
      ...guardIn(old, { nonce, epochSeen }),
      // All of them are of the past, and go with the next write.
      own: old.own,
      writes: old.writes,
      pacing: { ...old.pacing, nothingToBuild: false },
      lastFinalAt: old.lastFinalAt,
      keyUse: old.keyUse,
      forgottenUpTo: old.forgottenUpTo,
      contact: contactIn(validators, before),
      statusAt: old.now,
      counters: old.counters,
    },
    noted: nothingNoted(),
    out,
  };
  out.push({
    type: 'members',
    members: validators.keys.map((member) => ({ key: member, role: 'voter' })),
    epoch: epoch.height,
  });
  write(replica, { records: firstRecords(replica, false) });
  trace(replica, 'epoch', {
    epoch: epoch.height,
    validators: validators.keys.length,
    votes: replica.self !== null,
  });
  const primary = viewPrimaryOf(replica, replica.state.view);
  tellView(replica, primary, `block ${epoch.height} changed the validators`);
  restartTimer(replica);
  // Whoever was here first sent what this replica could not know yet: it is told to send it again.
  postStatus(replica, 'all');
  return replica;
}

/** Who of the next set was heard in this epoch, and when. */
function contactIn(validators: ValidatorSet, before: Replica): Map<ValidatorIndex, number> {
  const contact = new Map<ValidatorIndex, number>();
  for (const [index, key] of validators.keys.entries()) {
    const heardAt = before.state.contact.get(before.validators.keys.indexOf(key));
    if (heardAt !== undefined) contact.set(index, heardAt);
  }
  return contact;
}

/** The first records of an epoch, or of a start: what the log holds of earlier epochs goes with them. */
export function firstRecords(replica: Replica, isPresent: boolean): LogRecord[] {
  const obsolete = isPresent ? [] : [recordKeys.highest, recordKeys.newView];
  return [stateRecord(replica), ...obsolete.map((key) => ({ key, value: null }))];
}

/** A key's index in a set; null for one that only follows. */
export function indexOf(key: PublicKey, { keys }: ValidatorSet): ValidatorIndex | null {
  const index = keys.indexOf(key);
  return index < 0 ? null : index;
}
