import { bool, encode, struct, u48, wordOf } from '../../base/codec.ts';
import { type Height, heightCodec, type View, viewCodec } from '../../ledger/block.ts';
import { type Certificate, certificateCodec } from '../../ledger/certificate.ts';
import type { LogRecord } from '../engine.ts';
import { encodeMessage, type NewView } from './message.ts';
import type { AmnesiaGuard, PbftState } from './state.ts';

/** The records of the consensus log, besides which it holds each own vote under its `logKey`. */
export const recordKeys = {
  position: 'position',
  highest: 'highest',
  newView: 'accepted-new-view',
} as const;

/**
 * Where the replica is: its view, whether it left the one before without a new-view
 * yet, and its amnesia guard.
 */
export interface HardState {
  readonly view: View;
  readonly changing: boolean;
  readonly attempts: number;
  readonly guard: AmnesiaGuard['name'];
  /** `forgottenUpTo` of the state: what a silent guard waits for, and no vote up to there after it. */
  readonly silentUntil: Height;
}

export const hardStateCodec = struct<HardState>({
  view: viewCodec,
  changing: bool,
  attempts: u48,
  guard: wordOf(['off', 'learning', 'silent']),
  silentUntil: heightCodec,
});

export function stateRecord({ view, phase, attempts, guard, forgottenUpTo }: PbftState): LogRecord {
  return {
    key: recordKeys.position,
    value: encode(hardStateCodec, {
      view,
      changing: phase.name === 'changing',
      attempts,
      guard: guard.name,
      silentUntil: forgottenUpTo,
    }),
  };
}

export function certificateRecord(certificate: Certificate): LogRecord {
  return { key: recordKeys.highest, value: encode(certificateCodec, certificate) };
}

export function newViewRecord(newView: NewView): LogRecord {
  return { key: recordKeys.newView, value: encodeMessage(newView) };
}
