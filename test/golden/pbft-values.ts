import type { PbftMessage, ViewChange } from '../../src/consensus/pbft/message.ts';
import type { HardState } from '../../src/consensus/pbft/records.ts';
import { toHeight, toView } from '../../src/ledger/block.ts';
import type { Certificate } from '../../src/ledger/certificate.ts';
import { hashOf, headerWith, someSignature } from '../ledger/samples.ts';

const slot = { view: toView(4), height: toHeight(6), blockHash: hashOf('proposed') };
const signed = { from: 2, signature: someSignature };

/** Messages of every kind, by name. */
export function pbftSamples(certificate: Certificate): Readonly<Record<string, PbftMessage>> {
  const viewChange: ViewChange = {
    epoch: toHeight(0),
    kind: 'view-change',
    ...signed,
    view: toView(5),
    finalHeight: toHeight(5),
    finalCertificate: certificate,
    highest: { ...certificate, phase: 'prepare', height: toHeight(6) },
  };
  const first: ViewChange = { ...viewChange, from: 1, finalCertificate: undefined, highest: undefined };
  return {
    'pre-prepare': {
      epoch: toHeight(0),
      kind: 'pre-prepare',
      ...signed,
      ...slot,
      proposal: { header: headerWith(), transactionHashes: ['a', 'b', 'c'].map(hashOf) },
    },
    prepare: { epoch: toHeight(0), kind: 'prepare', ...signed, ...slot },
    commit: { epoch: toHeight(0), kind: 'commit', ...signed, ...slot },
    suspect: {
      epoch: toHeight(0),
      kind: 'suspect',
      ...signed,
      view: slot.view,
      reason: 'censorship',
      height: slot.height,
      sequence: 7,
    },
    'view-change': viewChange,
    'new-view': {
      epoch: toHeight(0),
      kind: 'new-view',
      ...signed,
      view: toView(5),
      viewChanges: [first, viewChange],
    },
    status: {
      epoch: toHeight(0),
      kind: 'status',
      ...signed,
      view: slot.view,
      changing: true,
      finalHeight: slot.height,
      finalCertificate: certificate,
      silentUntil: undefined,
    },
    'query-stable': { epoch: toHeight(0), kind: 'query-stable', ...signed, nonce: 2 ** 40 + 1 },
    'reply-stable': {
      epoch: toHeight(0),
      kind: 'reply-stable',
      ...signed,
      nonce: 2 ** 40 + 1,
      finalHeight: slot.height,
      finalCertificate: certificate,
      highest: { ...certificate, phase: 'prepare', height: toHeight(7) },
    },
    'evidence of two votes': {
      kind: 'evidence',
      epoch: toHeight(0),
      ...signed,
      proof: {
        epoch: toHeight(0),
        type: 'double',
        accused: 3,
        phase: 'commit',
        first: { ...slot, signature: someSignature },
        second: { ...slot, blockHash: hashOf('other'), signature: someSignature },
      },
    },
    'evidence of a forgotten commit': {
      kind: 'evidence',
      epoch: toHeight(0),
      ...signed,
      proof: {
        epoch: toHeight(0),
        type: 'forgotten-commit',
        accused: 2,
        commit: { ...slot, signature: someSignature },
        viewChange,
      },
    },
  };
}

export const amnesiaSamples: HardState = {
  epoch: toHeight(0),
  view: toView(9),
  changing: true,
  attempts: 3,
  guard: 'silent',
  silentUntil: toHeight(11),
};
