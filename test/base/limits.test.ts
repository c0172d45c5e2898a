import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from '../../src/base/codec.ts';
import {
  checkRelations,
  encodedBytes,
  largestCertificate,
  largestNewView,
  largestProposal,
  type Limits,
  memoryOf,
  relationsOf,
} from '../../src/base/limit-relations.ts';
import { limits } from '../../src/base/limits.ts';
import { encodeMessage } from '../../src/consensus/pbft/message-codec.ts';
import type { PbftMessage } from '../../src/consensus/pbft/message.ts';
import { zeroHash } from '../../src/crypto/hash.ts';
import type { PublicKey, Signature } from '../../src/crypto/signature.ts';
import { type BlockHeader, headerCodec, toHeight, toView } from '../../src/ledger/block.ts';
import { finalityCodec } from '../../src/ledger/certificate.ts';
import { byzantineQuorum } from '../../src/ledger/quorum.ts';

const KiB = 1024;
const signature = 'ab'.repeat(64) as Signature;
const slot = { view: toView(2 ** 40), height: toHeight(2 ** 40), blockHash: zeroHash };

function certificate<P extends 'prepare' | 'commit'>(validators: number, phase: P) {
  const signatures = Array.from({ length: byzantineQuorum(validators) }, (_, validator) => ({
    validator,
    signature,
  }));
  return { engine: 'pbft' as const, phase, epoch: toHeight(0), ...slot, signatures };
}

function newView(validators: number): PbftMessage {
  const viewChanges = Array.from({ length: byzantineQuorum(validators) }, (_, from) => ({
    kind: 'view-change' as const,
    epoch: toHeight(0),
    from,
    view: slot.view,
    finalHeight: slot.height,
    finalCertificate: certificate(validators, 'commit'),
    highest: certificate(validators, 'prepare'),
    signature,
  }));
  return { kind: 'new-view', epoch: toHeight(0), from: 0, view: slot.view, viewChanges, signature };
}

const header: BlockHeader = {
  height: slot.height,
  parentHash: zeroHash,
  view: slot.view,
  proposer: 'cd'.repeat(32) as PublicKey,
  timestamp: 2 ** 40,
  protocolVersion: 1,
  transactionRoot: zeroHash,
  stateRoot: zeroHash,
  receiptsRoot: zeroHash,
  validatorsHash: zeroHash,
  nextValidatorsHash: zeroHash,
};

describe('sizes that bounds depend on', () => {
  const close = (said: number, real: number): void => {
    assert.ok(real <= said, `${real} bytes, said to be at most ${said}`);
    assert.ok(said <= 1.05 * real + 128, `said to be ${said}, and never more than ${real}`);
  };

  test('are those of the codecs, for every size of a committee', () => {
    for (const validators of [4, 31, 74, limits.maxValidators]) {
      close(largestNewView(validators), encodeMessage(newView(validators)).length);
      close(largestCertificate(validators), encode(finalityCodec, certificate(validators, 'commit')).length);
    }
    assert.equal(encode(headerCodec, header).length, encodedBytes.header);
    const transactionHashes = Array.from({ length: limits.maxBlockTransactions }, () => zeroHash);
    const proposal = { header, transactionHashes };
    const message: PbftMessage = {
      epoch: toHeight(0),
      kind: 'pre-prepare',
      from: 0,
      ...slot,
      proposal,
      signature,
    };
    close(largestProposal(limits), encodeMessage(message).length);
  });
});

describe('the table of bounds', () => {
  test('keeps its relations', () => {
    checkRelations(limits);
  });

  const broken: readonly (readonly [Partial<Limits>, RegExp])[] = [
    [{ gossipMessageBytes: 320 * KiB }, /new view .* gossipMessageBytes/],
    [{ maxValidators: 200 }, /new view .* gossipMessageBytes/],
    [{ maxBlockBytes: 4 * KiB * KiB }, /largest block .* responseBytes/],
    [{ maxBlockTransactions: 100_000 }, /every transaction of a block .* requestBytes/],
    [{ verifierQueue: 300 }, /signatures at the verifier/],
    [
      { memberClaims: { ...limits.memberClaims, rate: { perSecond: 4_096, burst: 4_096 } } },
      /signatures inside a new view/,
    ],
    [{ strangerBytes: { perSecond: 1, burst: 1 } }, /relayed message .* strangerBytes/],
    [{ httpRequests: 400 }, /do not give way .* httpConnections/],
    [{ httpConnections: 400 }, /one client can keep busy .* httpConnections/],
    [{ httpPlacesPerClient: limits.httpPlaces }, /places of one client/],
    [{ httpEventReadersPerClient: limits.httpEventReaders }, /readers of one client/],
    [{ candidateBytes: 4 * KiB * KiB * KiB }, /all that others can fill .* floodBytes/],
    [{ ancestorWalk: 64 }, /widest window.* ancestorWalk/],
    [{ candidateBytes: KiB * KiB }, /window of the largest blocks .* candidateBytes/],
    [{ receivingBytes: { members: KiB, strangers: KiB } }, /new view for each .* receivingBytes/],
    [{ sendQueuesBytes: KiB * KiB }, /proposals of full blocks .* sendQueuesBytes/],
    [{ pbftBufferedHashes: 4_096 }, /proposal of each validator .* pbftBufferedHashes/],
    [{ mempoolBytes: 4 * KiB * KiB * KiB }, /all that others can fill .* floodBytes/],
    [{ requestTimeoutMs: 1_000 }, /second peer/],
  ];
  for (const [change, why] of broken) {
    test(`does not start a node with ${JSON.stringify(change)}`, () => {
      assert.throws(() => checkRelations({ ...limits, ...change }), why);
    });
  }

  test('says of each thing that others fill who fills it', () => {
    const shares = memoryOf(limits);
    assert.equal(new Set(shares.map(({ what, filledBy }) => `${filledBy}: ${what}`)).size, shares.length);
    assert.ok(shares.every(({ bytes }) => Number.isFinite(bytes) && bytes > 0));
    assert.ok(relationsOf(limits).length > 30);
  });
});
