import { bool, encode, struct, u48, wordOf } from '../../base/codec.ts';
import { type Height, heightCodec, type View, viewCodec } from '../../ledger/block.ts';
import { type Certificate, certificateCodec } from '../../ledger/certificate.ts';
import type { LogRecord } from '../engine.ts';
import { encodeMessage } from './message-codec.ts';
import type { NewView } from './message.ts';
import type { Replica } from './replica.ts';
import type { AmnesiaGuard } from './state.ts';

/** The records of the consensus log, besides which it holds each own vote under its `logKey`. */
export const recordKeys = {
  position: 'position',
  highest: 'highest',
  newView: 'accepted-new-view',
} as const;

/**
 * Where the replica is: its epoch, in that its view, whether it left the one before without a new-view yet,
 * and what holds its votes back.
 */
export interface HardState {
  /** Records of an earlier one than that of the final block mean nothing any more, but for the guard. */
  readonly epoch: Height;
  readonly view: View;
  readonly changing: boolean;
  readonly attempts: number;
  /** `unproven`: of the state, not null. */
  readonly guard: AmnesiaGuard['name'] | 'unproven';
  /** `forgottenUpTo` of the state: what a silent guard waits for, and no vote up to there after it. */
  readonly silentUntil: Height;
}

export const hardStateCodec = struct<HardState>({
  epoch: heightCodec,
  view: viewCodec,
  changing: bool,
  attempts: u48,
  guard: wordOf(['off', 'learning', 'silent', 'unproven']),
  silentUntil: heightCodec,
});

export function stateRecord({ epoch, state }: Replica): LogRecord {
  const { view, phase, attempts, guard, unproven, forgottenUpTo } = state;
  return {
    key: recordKeys.position,
    value: encode(hardStateCodec, {
      epoch: epoch.height,
      view,
      changing: phase.name === 'changing',
      attempts,
      guard: unproven === null ? guard.name : 'unproven',
      silentUntil: forgottenUpTo,
    }),
  };
}

export function certificateRecord(certificate: Certificate): LogRecord {
  return { key: recordKeys.highest, value: encode(certificateCodec, certificate) };
}

/** The highest certificate, where there is one. */
export function highestRecord({ state: { highest } }: Replica): LogRecord[] {
  return highest === null ? [] : [certificateRecord(highest)];
}

export function newViewRecord(newView: NewView): LogRecord {
  return { key: recordKeys.newView, value: encodeMessage(newView) };
}
