import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem, unwrap } from '../../../src/base/problem.ts';
import { hashHeader, type Height, toHeight, toView } from '../../../src/ledger/block.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { type FinalityCertificate, leaderBytes } from '../../../src/ledger/certificate.ts';
import type { ReadContext, RaftMessage, Term } from '../../../src/consensus/raft/message.ts';
import { defaultRaftOptions } from '../../../src/consensus/raft/options.ts';
import { raftProtocol } from '../../../src/consensus/raft/protocol.ts';
import { entriesOn, genesisOf, nameOfEntry, Solo } from './solo.ts';
import { chainId, genesisHeader, hashOf, keyOf, signatureOf } from './world.ts';

const validators = validatorSet([0, 1, 2].map(keyOf));
const protocol = raftProtocol({ chainId, validators, options: defaultRaftOptions });

/** Hashes and heights that are near those of a small chain, so that random messages get past the first checks. */
const chain = entriesOn(genesisHeader(3), [1, 1, 2, 2, 3], { leader: 0 });
const other = entriesOn(genesisHeader(3), [1, 2, 3], { leader: 1, text: 'other' });
const names = [
  genesisOf(3),
  ...chain.map(nameOfEntry),
  ...other.map(nameOfEntry),
  { height: toHeight(3), blockHash: hashOf('nothing') },
];
const member = fc.nat({ max: 4 });
const term = fc.nat({ max: 6 }) as fc.Arbitrary<Term>;
const height = fc.nat({ max: 8 }) as unknown as fc.Arbitrary<Height>;
const name = fc.constantFrom(...names);
const bytes = fc.uint8Array({ maxLength: 70 });
const context: fc.Arbitrary<ReadContext> = fc.record({
  incarnation: fc.nat({ max: 2 }),
  serial: fc.nat({ max: 3 }),
});
const entry = fc.constantFrom(
  ...chain,
  ...other,
  ...chain.map((wire) => ({ ...wire, leader: 2 })),
  ...chain.map((wire) => ({ ...wire, configuration: new Uint8Array([1, 2]) })),
);
const base = { from: member, term };
const messages: fc.Arbitrary<RaftMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('vote-request' as const),
    ...base,
    pre: fc.boolean(),
    transfer: fc.boolean(),
    lastHeight: height,
    lastTerm: term,
    commit: name,
    held: fc.option(name, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('vote' as const),
    ...base,
    pre: fc.boolean(),
    granted: fc.boolean(),
    commit: name,
    held: fc.option(name, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('append' as const),
    ...base,
    to: member,
    previous: name,
    entries: fc.array(entry, { maxLength: 4 }),
    commit: height,
  }),
  fc.record({ kind: fc.constant('accepted' as const), ...base, block: name }),
  fc.record({
    kind: fc.constant('rejected' as const),
    ...base,
    previous: height,
    next: height,
    conflictTerm: term,
    final: height,
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), ...base, commit: name, round: fc.nat({ max: 9 }) }),
  fc.record({
    kind: fc.constant('heartbeat-answer' as const),
    ...base,
    round: fc.nat({ max: 9 }),
    received: height,
    applied: height,
  }),
  fc.record({ kind: fc.constant('timeout-now' as const), ...base }),
  fc.record({ kind: fc.constant('read-request' as const), ...base, context, lease: fc.boolean() }),
  fc.record({
    kind: fc.constant('read-answer' as const),
    ...base,
    context,
    height: fc.option(height, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('snapshot-offer' as const),
    ...base,
    to: member,
    snapshot: name,
    configuration: bytes,
  }),
  fc.record({
    kind: fc.constant('snapshot-answer' as const),
    ...base,
    height,
    state: fc.constantFrom('receiving' as const, 'failed' as const),
  }),
);

test('every message comes back from its bytes, and has one encoding', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const encoded = protocol.encode(message);
      const decoded = protocol.decode(encoded);
      assert.ok(!(decoded instanceof Problem));
      assert.deepEqual(protocol.encode(decoded), encoded);
      assert.equal(protocol.senderOf(decoded), message.from);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('bytes that were changed, cut or lengthened are another message or a problem, and never an exception', () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), (message, where, change) => {
      const encoded = protocol.encode(message);
      const changed = encoded.slice();
      const at = where % encoded.length;
      changed[at] = (changed[at] ?? 0) ^ change;
      const decoded = protocol.decode(changed);
      if (!(decoded instanceof Problem)) assert.deepEqual(protocol.encode(decoded), changed);
      assert.ok(protocol.decode(encoded.slice(0, -1)) instanceof Problem);
      assert.ok(protocol.decode(new Uint8Array([...encoded, 0])) instanceof Problem);
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('a term at the end of its range is not let in: nobody could count on from it', () => {
  const message: RaftMessage = { kind: 'timeout-now', from: 1, term: (2 ** 47) as Term };
  const encoded = protocol.encode(message);
  encoded[3] = 0xff;
  assert.ok(protocol.decode(encoded) instanceof Problem);
});

test('whatever members send, no engine throws and its invariants hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(messages, fc.constantFrom('tick', 'sync', 'validate')), { maxLength: 60 }),
      fc.boolean(),
      (inputs, leads) => {
        const engine = new Solo(0, 3);
        if (leads) engine.lead();
        for (const input of inputs) {
          if (input === 'tick') engine.tick(100);
          else if (input === 'sync') engine.sync();
          else if (input === 'validate') engine.validate();
          // A member that contradicts what is final, or a second leader of a term, cannot be among honest ones. `step` still must not throw.
          else engine.receive(input);
        }
        engine.engine.status();
        engine.engine.why();
      },
    ),
    { seed: 3, numRuns: 400 },
  );
});

test('answers of an old term are not worth the check of who sent them; requests of one are answered', () => {
  const leader = new Solo(0, 3).lead();
  const wanted = (message: Partial<RaftMessage>): boolean => leader.engine.wants(message as RaftMessage);
  const { term } = leader.state;
  const old = toView(term - 1);
  for (const kind of ['accepted', 'vote', 'rejected'] as const) {
    assert.deepEqual([wanted({ kind, from: 1, term }), wanted({ kind, from: 1, term: old })], [true, false]);
  }
  assert.equal(wanted({ kind: 'append', from: 1, term: old }), true);
  assert.equal(wanted({ kind: 'append', from: 0, term }), false, 'of itself');
});

test('a certificate names its signer among the members, and what it signed', () => {
  const [first] = chain;
  assert.ok(first !== undefined);
  const blockHash = hashHeader(first.proposal.header);
  const certificate: FinalityCertificate = {
    engine: 'raft',
    term: first.proposal.header.view,
    height: toHeight(1),
    blockHash,
    leader: 1,
    signature: signatureOf(1, blockHash),
    configuration: new Uint8Array(),
  };
  const claims = protocol.certificateClaims(certificate);
  assert.ok(!(claims instanceof Problem));
  assert.deepEqual(
    claims.map(({ publicKey }) => publicKey),
    [keyOf(1)],
  );
  assert.ok(protocol.certificateClaims({ ...certificate, leader: 3 }) instanceof Problem);
  const later = protocol.certificateClaims(
    { ...certificate, leader: 3 },
    {
      keys: [0, 1, 2, 3].map(keyOf),
      epoch: toHeight(0),
    },
  );
  assert.ok(
    !(later instanceof Problem) && later[0]?.publicKey === keyOf(3),
    'members that came later count where they are given',
  );
});

test('a message with blocks is good only if the proposer of each signed it, whoever sends it on', () => {
  const claims = protocol.claims({
    kind: 'append',
    from: 2,
    term: 3 as Term,
    to: 0,
    previous: genesisOf(3),
    entries: other,
    commit: toHeight(0),
  });
  assert.ok(!(claims instanceof Problem));
  assert.deepEqual(claims.own, [], 'its stream proves its sender');
  assert.deepEqual(
    [...unwrap(claims.inside?.open() ?? [])],
    other.map(({ proposal: { header }, signature }) => ({
      publicKey: keyOf(1),
      message: leaderBytes(chainId, {
        view: header.view,
        height: header.height,
        blockHash: hashHeader(header),
      }),
      signature,
    })),
  );
  assert.deepEqual(protocol.claims({ kind: 'timeout-now', from: 1, term: 1 as Term }), { own: [] });
});
