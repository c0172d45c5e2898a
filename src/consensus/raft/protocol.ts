import { limits } from '../../base/limits.ts';
import { Problem } from '../../base/problem.ts';
import type { CodeOf } from '../../base/problem-codes.ts';
import type { Hash } from '../../crypto/hash.ts';
import type { PublicKey, SignatureClaim } from '../../crypto/signature.ts';
import { hashHeader, toHeight } from '../../ledger/block.ts';
import { type FinalityCertificate, leaderBytes } from '../../ledger/certificate.ts';
import type { ValidatorSet } from '../../ledger/validators.ts';
import type { BlockPart, MessageClaims, Protocol, Roster } from '../protocol.ts';
import { genesisConfiguration } from './configuration.ts';
import { RaftEngine } from './engine.ts';
import { decodeMessage, encodeMessage, type RaftMessage, type WireEntry } from './message.ts';
import type { RaftOptions } from './options.ts';
import { decodeConfiguration, encodeConfiguration } from '../../ledger/members.ts';

/**
 * Raft behind the contract of both engines. Messages carry no signatures: the stream that they come on proves
 * their sender. A block carries its leader's, as its certificate; it is checked before the block gets near
 * the log, because the log is where clients get it from.
 */
export function raftProtocol({
  chainId,
  validators,
  options,
}: {
  readonly chainId: Hash;
  readonly validators: ValidatorSet;
  readonly options: RaftOptions;
}): Protocol<RaftMessage> {
  return {
    engine: 'raft',
    authentication: 'channel',
    capabilities: {
      proposerClockBinds: true,
      leaderTakesAll: true,
      membersVouch: options.checkSignatures === 'entry',
      censorshipMs: null,
      inFlightBytes: limits.raftUncommittedBytes,
      makesSnapshots: true,
    },
    senderOf: (message) => message.from,
    epochOf: () => toHeight(0),
    decode: decodeMessage,
    encode: encodeMessage,
    // Members sign nothing but their blocks, of which the log shows them all.
    contradictionIn: () => null,
    partsIn,
    claims: (message) =>
      message.kind === 'append' ? { own: [], inside: authorships(message.entries, chainId) } : { own: [] },
    certificateClaims: (certificate, roster) =>
      claimsOf(certificate, { chainId, keys: roster?.keys ?? validators.keys }),
    snapshotRoster: rosterOf,
    snapshotCertificate: (certificate, members) =>
      certificate.engine === 'raft'
        ? { ...certificate, configuration: encodeConfiguration(members ?? genesisConfiguration(validators)) }
        : certificate,
    start: (start) => new RaftEngine(start, options),
  };
}

/** A leader proposes what it appends; a member that has a block on its disk has all below it there. */
function partsIn(message: RaftMessage): readonly BlockPart[] {
  if (message.kind === 'accepted') return [{ kind: 'vote', ...message.block, isForAllBelow: true }];
  if (message.kind !== 'append') return [];
  return message.entries.map(({ proposal: { header } }) => ({
    kind: 'proposal',
    height: header.height,
    blockHash: hashHeader(header),
    isForAllBelow: false,
  }));
}

function authorships(entries: readonly WireEntry[], chainId: Hash): NonNullable<MessageClaims['inside']> {
  return {
    count: entries.length,
    *open() {
      for (const entry of entries) yield authorship(entry, chainId);
    },
  };
}

/**
 * That the block's proposer signed it. That the proposer is the member it names is the engine's to judge:
 * members change with the log.
 */
function authorship({ proposal: { header }, signature }: WireEntry, chainId: Hash): SignatureClaim {
  const { view, height, proposer } = header;
  return {
    publicKey: proposer,
    message: leaderBytes(chainId, { view, height, blockHash: hashHeader(header) }),
    signature,
  };
}

function claimsOf(
  certificate: FinalityCertificate,
  { chainId, keys }: { chainId: Hash; keys: readonly PublicKey[] },
): SignatureClaim[] | Problem {
  if (certificate.engine !== 'raft') return wrong(certificate, 'certificate/invalid', 'is not one of Raft');
  const { term, height, blockHash, leader, signature } = certificate;
  const publicKey = keys[leader];
  if (publicKey === undefined) {
    const why = `names member ${leader}, and there are ${keys.length}`;
    return wrong(certificate, 'certificate/unknown-member', why);
  }
  return [{ publicKey, message: leaderBytes(chainId, { view: term, height, blockHash }), signature }];
}

function wrong(
  { height, blockHash }: FinalityCertificate,
  code: CodeOf<'certificate'>,
  why: string,
): Problem {
  return new Problem(code, `the certificate ${why}`, {
    remedy: 'Ask another node for it, and check that both nodes use the same genesis file.',
    details: { height, blockHash },
  });
}

/** A snapshot's certificate tells the members after its block. The engine holds that against the header. */
function rosterOf(certificate: FinalityCertificate, roster: Roster): Roster {
  const members = certificate.engine === 'raft' ? decodeConfiguration(certificate.configuration) : [];
  if (members instanceof Problem) return roster;
  return { ...roster, keys: [...roster.keys, ...members.slice(roster.keys.length).map(({ key }) => key)] };
}
