import { invariant } from '../../base/invariant.ts';
import { Problem } from '../../base/problem.ts';
import type { Hash } from '../../crypto/hash.ts';
import { certificateClaims } from '../../ledger/certificate.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { Protocol } from '../engine.ts';
import { messageClaims } from './claims.ts';
import { PbftEngine } from './engine.ts';
import { decodeMessage, encodeMessage, type PbftMessage } from './message.ts';
import type { PbftOptions } from './options.ts';

/** PBFT as the driver knows it. `genesisHash` is the hash of the header at height 0. */
export function pbftProtocol(chain: {
  readonly chainId: Hash;
  readonly genesisHash: Hash;
  readonly validators: ValidatorSet;
  readonly options: PbftOptions;
}): Protocol<PbftMessage> {
  const { chainId, validators, options } = chain;
  const committee = { chainId, validators, validatorsHash: validators.hash, window: options.window };
  return {
    engine: 'pbft',
    authentication: 'signature',
    capabilities: {
      membersChange: false,
      proposerClockBinds: false,
      leaderTakesAll: false,
      censorshipMs: options.censorshipMs,
    },
    senderOf: (message) => message.from,
    decode: decodeMessage,
    encode: encodeMessage,
    claims: (message) => messageClaims(message, committee),
    certificateClaims(certificate) {
      if (certificate.engine === 'pbft' && certificate.phase === 'commit') {
        return certificateClaims(certificate, chainId, validators);
      }
      return new Problem('certificate/invalid', 'the certificate is not a PBFT commit certificate', {
        remedy: 'Check that the sender follows the same chain with the same engine.',
      });
    },
    // The validators never change.
    snapshotCertificate: (certificate) => certificate,
    start(start) {
      invariant(start.chainId === chainId, 'an engine is started for its own chain');
      return new PbftEngine({ ...start, genesisHash: chain.genesisHash }, options);
    },
  };
}
