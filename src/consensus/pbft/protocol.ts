import { invariant } from '../../base/invariant.ts';
import { blockWeight } from '../../base/limit-relations.ts';
import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { toHeight } from '../../ledger/block.ts';
import { type Certificate, certificateClaims } from '../../ledger/certificate.ts';
import { type ValidatorSet, validatorSet } from '../../ledger/validators.ts';
import type { Protocol, Roster } from '../protocol.ts';
import { messageClaims } from './claims.ts';
import { contradictionIn } from './evidence.ts';
import { PbftEngine } from './engine.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';
import type { PbftMessage } from './message.ts';
import type { PbftOptions } from './options.ts';

/** PBFT as the driver knows it. `validators` are those of the genesis file. */
export function pbftProtocol(chain: {
  readonly chainId: Hash;
  readonly validators: ValidatorSet;
  readonly options: PbftOptions;
}): Protocol<PbftMessage> {
  const { chainId, validators, options } = chain;
  const first: Roster = { keys: validators.keys, epoch: toHeight(0) };
  return {
    engine: 'pbft',
    authentication: 'signature',
    capabilities: {
      proposerClockBinds: false,
      leaderTakesAll: false,
      membersVouch: false,
      censorshipMs: options.censorshipMs,
      inFlightBytes: options.window * blockWeight(limits.maxBlockBytes, limits.maxBlockTransactions),
      makesSnapshots: false,
    },
    senderOf: (message) => message.from,
    epochOf: (message) => message.epoch,
    decode: decodeMessage,
    encode: encodeMessage,
    contradictionIn,
    partsIn(message) {
      if (message.kind !== 'pre-prepare' && message.kind !== 'commit') return [];
      const { height, blockHash } = message;
      return [
        { kind: message.kind === 'commit' ? 'vote' : 'proposal', height, blockHash, isForAllBelow: false },
      ];
    },
    claims(message, { keys, epoch } = first) {
      const set = validatorSet(keys);
      const { window } = options;
      return messageClaims(message, { chainId, epoch, validatorsHash: set.hash, validators: set, window });
    },
    certificateClaims(certificate, roster = first) {
      if (certificate.engine === 'pbft' && certificate.phase === 'commit') {
        if (certificate.epoch !== roster.epoch) return otherEpoch(certificate, roster);
        return certificateClaims(certificate, chainId, validatorSet(roster.keys));
      }
      return new Problem('certificate/invalid', 'the certificate is not a PBFT commit certificate', {
        remedy: 'Check that the sender follows the same chain with the same engine.',
      });
    },
    // Nobody prunes, so nobody fetches a state.
    snapshotRoster: (_certificate, roster) => roster,
    snapshotCertificate: (certificate) => certificate,
    start(start) {
      invariant(start.chainId === chainId, 'an engine is started for its own chain');
      return new PbftEngine(start, options);
    },
  };
}

/** By validators that this node no longer knows, or not yet: whoever serves it cannot know that. */
function otherEpoch({ epoch, height }: Certificate, roster: Roster): Problem {
  return new Problem('certificate/unknown-member', `the certificate is of the epoch from ${epoch} on`, {
    remedy: `Get the blocks up to there first: this node knows the validators from ${roster.epoch} on.`,
    details: { height, epoch, known: roster.epoch },
  });
}
