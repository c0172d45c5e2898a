import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, encode } from '../../../src/base/codec.ts';
import { limits } from '../../../src/base/limits.ts';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import { merkleRoot } from '../../../src/ledger/merkle.ts';
import { hash, type Hash } from '../../../src/crypto/hash.ts';
import { keyPairFromSeed, sign } from '../../../src/crypto/keys.ts';
import type { Signature, SignatureClaim } from '../../../src/crypto/signature.ts';
import { verifySignature } from '../../../src/crypto/verify.ts';
import { hashHeader, toHeight, toView } from '../../../src/ledger/block.ts';
import { type Certificate, voteBytes } from '../../../src/ledger/certificate.ts';
import { byzantineQuorum } from '../../../src/ledger/quorum.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { messageCodec } from '../../../src/consensus/pbft/message-codec.ts';
import type { Draft, NewView, PbftMessage, ViewChange } from '../../../src/consensus/pbft/message.ts';
import { preimageOf, toUnsigned } from '../../../src/consensus/pbft/signing.ts';
import { defaultPbftOptions } from '../../../src/consensus/pbft/options.ts';
import { pbftProtocol } from '../../../src/consensus/pbft/protocol.ts';

const pairs = [1, 2, 3, 4].map((seed) => keyPairFromSeed(new Uint8Array(32).fill(seed)));
const validators = validatorSet(pairs.map(({ publicKey }) => publicKey));
const chainId = hash('quorate/v1/chain', new Uint8Array([7]));
const epoch = { chainId, epoch: toHeight(0), validatorsHash: validators.hash };
const protocol = pbftProtocol({ chainId, validators, options: defaultPbftOptions });
const blockHash = 'ab'.repeat(32) as Hash;

function signed<M extends PbftMessage>(draft: Draft & { kind: M['kind'] }): M {
  const { preimage } = toUnsigned(draft, epoch);
  const pair = pairs[draft.from];
  assert.ok(pair !== undefined);
  return { ...draft, epoch: epoch.epoch, signature: sign(pair.secretKey, preimage) } as unknown as M;
}

function certificate(
  phase: 'prepare' | 'commit',
  view: number,
  height: number,
  signers = [0, 1, 2],
): Certificate {
  const slot = { view: toView(view), height: toHeight(height), blockHash };
  const bytes = voteBytes(phase, epoch, slot);
  return {
    epoch: toHeight(0),
    ...slot,
    phase,
    signatures: signers.map((validator) => ({
      validator,
      signature: sign(pairs[validator]?.secretKey ?? new Uint8Array(32), bytes),
    })),
  };
}

const vote = (kind: 'prepare' | 'commit'): PbftMessage =>
  signed({ kind, from: 1, view: toView(2), height: toHeight(3), blockHash });
const viewChange = (from: number, fields: Partial<ViewChange> = {}): ViewChange =>
  signed<ViewChange>({
    kind: 'view-change',
    from,
    view: toView(5),
    finalHeight: toHeight(0),
    finalCertificate: undefined,
    highest: undefined,
    ...fields,
  });
const newView = (viewChanges: readonly ViewChange[], from = 1): NewView =>
  signed<NewView>({ kind: 'new-view', from, view: toView(5), viewChanges });

function prePrepare(): PbftMessage {
  const header = {
    height: toHeight(3),
    parentHash: blockHash,
    view: toView(2),
    proposer: validators.keys[2] ?? assert.fail(),
    timestamp: 5,
    protocolVersion: 1,
    transactionRoot: merkleRoot([]),
    stateRoot: blockHash,
    receiptsRoot: blockHash,
    validatorsHash: validators.hash,
    nextValidatorsHash: validators.hash,
  };
  return signed({
    kind: 'pre-prepare',
    from: 2,
    view: toView(2),
    height: toHeight(3),
    blockHash: hashHeader(header),
    proposal: { header, transactionHashes: [] },
  });
}

const everyKind: Record<PbftMessage['kind'], PbftMessage> = {
  'pre-prepare': prePrepare(),
  prepare: vote('prepare'),
  commit: vote('commit'),
  suspect: signed({
    kind: 'suspect',
    from: 0,
    view: toView(1),
    reason: 'no-progress',
    height: toHeight(4),
    sequence: 1,
  }),
  'view-change': viewChange(3, {
    finalHeight: toHeight(2),
    finalCertificate: certificate('commit', 1, 2),
    highest: certificate('prepare', 3, 4),
  }),
  'new-view': newView([0, 2, 3].map((from) => viewChange(from))),
  status: signed({
    kind: 'status',
    from: 2,
    view: toView(1),
    changing: true,
    finalHeight: toHeight(2),
    finalCertificate: certificate('commit', 1, 2),
    silentUntil: toHeight(5),
  }),
  'query-stable': signed({ kind: 'query-stable', from: 1, nonce: 2 ** 40 + 1 }),
  'reply-stable': signed({
    kind: 'reply-stable',
    from: 1,
    nonce: 2 ** 40 + 1,
    finalHeight: toHeight(2),
    finalCertificate: certificate('commit', 1, 2),
    highest: certificate('prepare', 3, 4),
  }),
  evidence: signed({
    kind: 'evidence',
    from: 0,
    proof: {
      epoch: toHeight(0),
      type: 'double',
      accused: 3,
      phase: 'prepare',
      first: {
        view: toView(1),
        height: toHeight(1),
        blockHash: '1'.repeat(64) as Hash,
        signature: '0'.repeat(128) as Signature,
      },
      second: {
        view: toView(1),
        height: toHeight(1),
        blockHash: '2'.repeat(64) as Hash,
        signature: '0'.repeat(128) as Signature,
      },
    },
  }),
};

/** All signatures, the sender's own first; or what is wrong with the form or, behind a good outer signature, with the content. */
function claimsOf(message: PbftMessage): SignatureClaim[] | Problem {
  const claims = protocol.claims(message);
  if (claims instanceof Problem) return claims;
  const inside = claims.inside?.open() ?? [];
  if (inside instanceof Problem) return inside;
  const listed = [...inside];
  assert.equal(listed.length, claims.inside?.count ?? 0, 'as many as it says');
  return [...claims.own, ...listed];
}

const allValid = (message: PbftMessage): boolean =>
  unwrap(claimsOf(message)).every((claim) => verifySignature(claim, false));

const refusal = (message: PbftMessage): string => {
  const claims = claimsOf(message);
  assert.ok(claims instanceof Problem, 'it should be refused whatever the signatures say');
  return claims.message;
};

for (const [kind, message] of Object.entries(everyKind)) {
  test(`${kind}: survives the wire, and its claims hold`, () => {
    const bytes = protocol.encode(message);
    assert.deepEqual(protocol.decode(bytes), message);
    if (kind !== 'evidence') assert.equal(allValid(message), true);
  });

  test(`${kind}: bytes that differ anywhere are refused, or are another message with another encoding`, () => {
    const bytes = protocol.encode(message);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const mutated = bytes.slice();
        mutated[index] = (mutated[index] ?? 0) ^ change;
        const decoded = decode(messageCodec, mutated, 'message');
        if (!(decoded instanceof Problem)) assert.deepEqual(encode(messageCodec, decoded), mutated);
      }),
      { seed: 1, numRuns: 200 },
    );
    assert.ok(protocol.decode(bytes.subarray(0, bytes.length - 1)) instanceof Problem);
    assert.ok(protocol.decode(new Uint8Array([...bytes, 0])) instanceof Problem);
  });
}

test('in a later epoch the block that it stands on needs no certificate, and one of before proves nothing', () => {
  const later = { keys: validators.keys, epoch: toHeight(2) };
  const at = (finalHeight: number, finalCertificate?: Certificate): PbftMessage => ({
    kind: 'status',
    epoch: later.epoch,
    from: 1,
    view: toView(0),
    changing: false,
    finalHeight: toHeight(finalHeight),
    finalCertificate,
    signature: '0'.repeat(128) as Signature,
  });
  const why = (message: PbftMessage): string => {
    const claims = protocol.claims(message, later);
    return claims instanceof Problem ? claims.message : 'good';
  };
  assert.equal(why(at(2)), 'good');
  assert.match(why(at(0)), /without its certificate/);
  assert.match(why(at(3)), /without its certificate/);
  const old = certificate('commit', 0, 3);
  assert.match(why(at(3, old)), /certificate of another epoch/);
  assert.equal(why(at(3, { ...old, epoch: later.epoch })), 'good');
  assert.match(why({ ...at(2), epoch: toHeight(0) }), /is of another epoch/);
  const change = { kind: 'view-change', from: 1, view: toView(1), highest: undefined } as const;
  const known = { finalHeight: toHeight(2), finalCertificate: undefined, signature: at(2).signature };
  assert.equal(why({ ...change, ...known, epoch: later.epoch }), 'good');
  const certified = { ...change, ...known, epoch: later.epoch, highest: certificate('prepare', 0, 4) };
  assert.match(why(certified), /certificate of another epoch/);
  const nested = signed<ViewChange>({ ...change, ...known, finalHeight: toHeight(0) });
  const viewChanges = [0, 1, 2].map((from) => ({ ...nested, from }));
  const newView: PbftMessage = {
    kind: 'new-view',
    epoch: later.epoch,
    from: 1,
    view: toView(1),
    viewChanges,
    signature: at(2).signature,
  };
  assert.match(why(newView), /is of another epoch/, 'what stands inside is of the same one');
  assert.equal(certificate('commit', 0, 3).epoch, 0);
  const foreign = protocol.certificateClaims({ engine: 'pbft', ...old }, later);
  assert.ok(foreign instanceof Problem && foreign.code === 'certificate/unknown-member');
});

test('no signature means anything in another kind, chain or epoch', () => {
  const kinds = Object.values(everyKind);
  const seen = new Set<string>();
  for (const message of kinds) {
    for (const other of [
      epoch,
      { ...epoch, chainId: 'cd'.repeat(32) as Hash },
      { ...epoch, validatorsHash: 'cd'.repeat(32) as Hash },
      // The same set, come back.
      { ...epoch, epoch: toHeight(9) },
    ]) {
      seen.add(Buffer.from(preimageOf(message, other)).toString('hex'));
    }
  }
  assert.equal(seen.size, kinds.length * 4);
  const prepare = vote('prepare');
  assert.equal(allValid({ ...prepare, kind: 'commit' } as PbftMessage), false, 'prepare bytes are no commit');
});

test('a sender outside the set is refused', () => {
  assert.match(refusal({ ...vote('commit'), from: 4 }), /nobody/);
});

test('a certificate needs exactly a quorum, of distinct validators, in order', () => {
  const status = (finalCertificate: Certificate): PbftMessage =>
    signed({
      kind: 'status',
      from: 2,
      view: toView(1),
      changing: false,
      finalHeight: toHeight(2),
      finalCertificate,
    });
  const good = certificate('commit', 1, 2);
  assert.match(refusal(status({ ...good, signatures: good.signatures.slice(0, 2) })), /2 signatures/);
  assert.match(refusal(status(certificate('commit', 1, 2, [0, 1, 2, 3]))), /4 signatures/);
  assert.match(refusal(status(certificate('commit', 1, 2, [1, 1, 2]))), /ascending/);
  assert.match(refusal(status(certificate('commit', 1, 2, [2, 1, 0]))), /ascending/);
  assert.match(refusal(status(certificate('prepare', 1, 2))), /prepares/);
  assert.match(refusal(status(certificate('commit', 1, 3))), /another height/);
  const forged = good.signatures.map((entry, index) =>
    index === 1 ? { ...entry, signature: good.signatures[0]?.signature ?? entry.signature } : entry,
  );
  assert.equal(
    allValid(status({ ...good, signatures: forged })),
    false,
    'a copied signature is found by its check',
  );
});

test('a final height without its certificate is refused', () => {
  assert.match(refusal(viewChange(1, { finalHeight: toHeight(9) })), /without its certificate/);
});

test('a view change carries certificates of earlier views only', () => {
  assert.match(refusal(viewChange(1, { highest: certificate('prepare', 5, 4) })), /not reached/);
  assert.match(
    refusal(viewChange(1, { finalHeight: toHeight(2), finalCertificate: certificate('commit', 6, 2) })),
    /not reached/,
  );
});

test('a view change names a highest certificate only when it outranks the final one', () => {
  assert.match(
    refusal(
      viewChange(1, {
        finalHeight: toHeight(2),
        finalCertificate: certificate('commit', 3, 2),
        highest: certificate('prepare', 2, 8),
      }),
    ),
    /outranks/,
  );
});

test('a new-view: from the primary, with exactly a quorum of distinct view changes, all for its view', () => {
  const changes = [0, 2, 3].map((from) => viewChange(from));
  assert.match(refusal(newView(changes, 2)), /not from the primary/);
  assert.match(refusal(newView(changes.slice(0, 2))), /2 view changes/);
  assert.match(refusal(newView([0, 1, 2, 3].map((from) => viewChange(from)))), /4 view changes/);
  assert.match(refusal(newView([viewChange(0), viewChange(0), viewChange(2)])), /distinct/);
  assert.match(refusal(newView([viewChange(0), viewChange(2), viewChange(3, { view: toView(6) })])), /mixes/);
  const tampered = changes.map((change, index) =>
    index === 1 ? { ...change, highest: certificate('prepare', 2, 8) } : change,
  );
  assert.equal(allValid(newView(tampered)), false, 'a forged view change inside is found by its signature');
});

test('a proposal that is not what its slot names is refused', () => {
  const good = prePrepare();
  assert.ok(good.kind === 'pre-prepare');
  assert.match(refusal({ ...good, blockHash }), /does not hash/);
  assert.match(refusal({ ...good, height: toHeight(4) }), /another height/);
  const others = { ...good, proposal: { ...good.proposal, transactionHashes: [blockHash] } };
  assert.ok(claimsOf(others) instanceof Problem, 'other transactions than the header commits to');
});

test('evidence that shows no contradiction is refused', () => {
  const slot = { view: toView(1), height: toHeight(1), blockHash, signature: '0'.repeat(128) as Signature };
  const double = (first: object, second: object): PbftMessage =>
    signed({
      kind: 'evidence',
      from: 0,
      proof: {
        epoch: toHeight(0),
        type: 'double',
        accused: 3,
        phase: 'commit',
        first: { ...slot, ...first },
        second: { ...slot, ...second },
      },
    });
  assert.match(refusal(double({}, {})), /two blocks/);
  assert.match(refusal(double({}, { view: 2, blockHash: 'ff'.repeat(32) })), /two places/);
  assert.match(refusal(double({ blockHash: 'ff'.repeat(32) }, {})), /ascending/);
  const forgotten = (view: number, change: ViewChange): PbftMessage =>
    signed({
      kind: 'evidence',
      from: 0,
      proof: {
        epoch: toHeight(0),
        type: 'forgotten-commit',
        accused: 3,
        commit: { ...slot, view: toView(view) },
        viewChange: change,
      },
    });
  assert.match(refusal(forgotten(1, viewChange(2))), /somebody else/);
  assert.match(refusal(forgotten(5, viewChange(3))), /does not cover/);
  assert.match(
    refusal(forgotten(1, viewChange(3, { highest: certificate('prepare', 1, 1) }))),
    /reports enough/,
  );
  assert.ok(!(claimsOf(forgotten(1, viewChange(3))) instanceof Problem));
});

test('what stands inside a message is neither hashed nor encoded before its sender is known', () => {
  for (const message of Object.values(everyKind)) {
    const claims = unwrap(protocol.claims(message));
    assert.equal(claims.own.length, 1);
    assert.deepEqual(claims.own[0]?.message, preimageOf(message, epoch));
  }
  const good = prePrepare();
  assert.ok(good.kind === 'pre-prepare');
  const forged = { ...good, proposal: { ...good.proposal, transactionHashes: [blockHash] } };
  assert.ok(
    !(protocol.claims(forged) instanceof Problem),
    'the root of its transactions is not computed yet',
  );
});

test('the largest message of the largest committee can be sent, relayed and checked', () => {
  const n = limits.maxValidators;
  const quorum = byzantineQuorum(n);
  const signature = 'ff'.repeat(64) as Signature;
  const largest = (phase: 'prepare' | 'commit', view: number): Certificate => ({
    epoch: toHeight(0),
    phase,
    view: toView(view),
    height: toHeight(2 ** 48 - 1),
    blockHash,
    signatures: Array.from({ length: quorum }, (_, validator) => ({ validator, signature })),
  });
  const view = toView(2 ** 48 - 1);
  const message: NewView = {
    kind: 'new-view',
    epoch: toHeight(0),
    from: view % n,
    view,
    signature,
    viewChanges: Array.from({ length: quorum }, (_, from) => ({
      epoch: toHeight(0),
      kind: 'view-change',
      from,
      view,
      signature,
      finalHeight: toHeight(2 ** 48 - 1),
      finalCertificate: largest('commit', view - 2),
      highest: largest('prepare', view - 1),
    })),
  };
  const size = encode(messageCodec, message).length;
  assert.ok(size <= limits.gossipMessageBytes && size <= limits.consensusMessageBytes, `${size} bytes`);
  const keys = Array.from(
    { length: n },
    (_, index) => keyPairFromSeed(new Uint8Array(32).fill(index + 1)).publicKey,
  );
  const large = validatorSet(keys);
  const claims = unwrap(
    pbftProtocol({
      chainId,
      validators: large,
      options: defaultPbftOptions,
    }).claims(message),
  );
  assert.ok((claims.inside?.count ?? 0) < limits.memberClaims.rate.burst, String(claims.inside?.count));
});
