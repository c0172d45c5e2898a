import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { unwrap } from '../../src/base/problem.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import type { PublicKey } from '../../src/crypto/signature.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { ChainChange } from '../../src/ledger/chain-change.ts';
import { type ChainParameters, parametersAt, widestLimits } from '../../src/ledger/chain-parameters.ts';
import { buildBlock } from '../../src/ledger/block-building.ts';
import { type Execution, executeBlock, nextValidatorsOf } from '../../src/ledger/execution.ts';
import { configurationHash, encodeConfiguration, type Member } from '../../src/ledger/members.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { proposalId } from '../../src/ledger/proposal.ts';
import { State } from '../../src/ledger/state.ts';
import { validatorSet } from '../../src/ledger/validators.ts';
import { contextAt, hashOf, keyOf, put, stateWith, transaction } from './samples.ts';

const names = ['a', 'b', 'c', 'd'];
const four = names.map(keyOf);
const balances = Object.fromEntries([...names, 'stranger'].map((name) => [name, 1_000n]));
const usable = developmentKeyPair('carol').publicKey;
const raise = (version = 2, height = 50): ChainChange => ({
  type: 'protocol-version',
  version,
  height: toHeight(height),
});
const fee = (feePerOperation: bigint, height?: number): ChainChange => ({
  type: 'fee-floor',
  feePerOperation,
  height: height === undefined ? undefined : toHeight(height),
});
const narrow = (changes: Partial<ChainParameters['limits']>, height?: number): ChainChange => ({
  type: 'limits',
  limits: { ...widestLimits, ...changes },
  height: height === undefined ? undefined : toHeight(height),
});
const change = (...validators: PublicKey[]): ChainChange => ({ type: 'validators', validators });

/** A chain of which each block holds what one account asks. */
class World {
  state: State;
  height = 0;
  last: Execution | undefined;
  /** Raft: who takes part. */
  readonly members: readonly Member[] | undefined;
  validatorsHash: string;

  constructor(parameters: Partial<ChainParameters> = { validators: four }, members?: readonly Member[]) {
    this.state = stateWith(balances, parameters);
    this.members = members;
    this.validatorsHash =
      members === undefined ? validatorSet(parameters.validators ?? []).hash : configurationHash(members);
  }

  proposal(what: ChainChange, more: Partial<Extract<Operation, { type: 'propose-change' }>> = {}): Operation {
    return {
      type: 'propose-change',
      change: what,
      expiryHeight: toHeight(40),
      validatorsHash: this.validatorsHash as never,
      members: this.members === undefined ? new Uint8Array() : encodeConfiguration(this.members),
      replaces: false,
      ...more,
    };
  }

  /** One block with these operations of one account. Returns the code, empty when it was applied. */
  does(from: string, ...operations: Operation[]): string {
    this.height += 1;
    const { nonce } = this.state.account(keyOf(from));
    const asked = transaction({ from, nonce, fee: 100n }, ...operations);
    const context = contextAt(this.height, { validatorsHash: this.validatorsHash as never });
    this.last = unwrap(executeBlock(this.state, context, [asked]));
    this.state = this.last.state;
    this.validatorsHash = nextValidatorsOf(this.last)?.hash ?? this.validatorsHash;
    return this.last.receipts[0]?.code ?? 'no receipt';
  }

  propose(from: string, what: ChainChange, more: Parameters<World['proposal']>[1] = {}): string {
    return this.does(from, this.proposal(what, more));
  }

  approve(from: string, id: string): string {
    return this.does(from, { type: 'approve-change', proposal: id as never });
  }

  /** The proposal of an account. */
  of(name: string): string {
    return this.state.proposalNames.find(({ proposer }) => proposer === keyOf(name))?.id ?? 'none';
  }

  /** What counts for the next block. */
  get next(): ChainParameters {
    return parametersAt(this.state.parameters, toHeight(this.height + 1));
  }

  get effects() {
    return this.last?.receipts[0]?.changes ?? [];
  }
}

describe('a change of the chain', () => {
  test('is read once for a block, however often the block asks for it', (context) => {
    const world = new World();
    for (const name of names) assert.equal(world.propose(name, fee(7n + BigInt(name.length))), '');
    const read = context.mock.method(State.prototype, 'proposal');
    const again = Array.from({ length: 50 }, (_, index) =>
      world.proposal(fee(BigInt(100 - index)), { replaces: true }),
    );
    assert.equal(world.does('a', ...again), '');
    assert.equal(world.effects.length, 50);
    assert.equal(read.mock.callCount(), names.length + 50 - 1, 'those that were there, and each new name');
  });

  test('is decided by the approval that makes a quorum, its proposer’s included, and not before', () => {
    const world = new World();
    assert.equal(world.propose('a', fee(7n)), '');
    const id = world.of('a');
    assert.deepEqual(world.effects, [
      { operation: 0, proposal: id, approvals: 1, needed: 3, effectiveFrom: undefined },
    ]);
    assert.equal(world.approve('b', id), '');
    assert.equal(world.next.feePerOperation, 0n);
    assert.equal(world.approve('d', id), '');
    assert.equal(world.effects[0]?.effectiveFrom, 4, 'from the next block on');
    assert.equal(world.next.feePerOperation, 7n);
    assert.equal(world.state.proposal(id as never)?.decidedAt, 3);
    const cheap = transaction({ from: 'c', nonce: 0, fee: 6n }, { type: 'delete', key: 'x' });
    const context = contextAt(4, { validatorsHash: world.validatorsHash as never });
    const { skipped } = buildBlock(world.state, context, [cheap]);
    assert.equal(skipped[0]?.code, 'transaction/fee-too-low');
  });

  test('that a block decides stays decided, whatever comes behind it in the block', () => {
    const world = new World();
    world.propose('a', fee(7n));
    const id = world.of('a');
    world.approve('b', id);
    const approval = transaction(
      { from: 'c', nonce: 0, fee: 100n },
      { type: 'approve-change', proposal: id as never },
    );
    const behind = transaction(
      { from: 'stranger', nonce: 0, fee: 100n },
      {
        type: 'put',
        key: 'behind',
        value: Uint8Array.of(1),
      },
    );
    const context = contextAt(3, { validatorsHash: world.validatorsHash as never });
    const { next, receipts } = unwrap(executeBlock(world.state, context, [approval, behind]));
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['applied', 'applied'],
    );
    assert.equal(next.feePerOperation, 7n);
  });

  test('has the name that its transaction gives it, and commits to all that it says', () => {
    const world = new World();
    const asked = transaction({ from: 'a', nonce: 0, fee: 100n }, world.proposal(raise()));
    world.does('a', world.proposal(raise()));
    assert.equal(world.of('a'), proposalId(asked.hash, 0));
    assert.notEqual(proposalId(asked.hash, 0), proposalId(asked.hash, 1));
  });

  test('of the version counts from its height on, and can be put off until then', () => {
    const world = new World();
    const decide = (height: number): void => {
      assert.equal(world.propose('a', raise(2, height), { expiryHeight: toHeight(height - 1) }), '');
      for (const name of ['b', 'c']) assert.equal(world.approve(name, world.of('a')), '');
    };
    decide(8);
    assert.deepEqual(world.state.parameters.scheduled, [{ height: 8, change: raise(2, 8) }]);
    decide(12);
    assert.deepEqual(world.state.parameters.scheduled, [{ height: 12, change: raise(2, 12) }]);
    while (world.height < 11) world.does('d', { type: 'delete', key: 'x' });
    assert.equal(world.last?.parameters.protocolVersion, 1);
    assert.equal(world.last?.next.protocolVersion, 2);
    assert.equal(world.does('d', { type: 'delete', key: 'x' }), 'transaction/no-such-record');
    assert.equal(world.last?.parameters.protocolVersion, 2);
    assert.deepEqual(world.state.parameters.scheduled, []);
  });

  test('that is scheduled beside another one counts from its own height, and not from the other’s', () => {
    const world = new World({ validators: [keyOf('a')] });
    const early = { expiryHeight: toHeight(3), replaces: true };
    assert.equal(world.propose('a', raise(2, 9), early), '', 'one validator decides alone');
    assert.equal(world.propose('a', fee(50n, 6), early), '');
    assert.equal(world.propose('a', narrow({ maxTransactions: 9 }, 6), early), '');
    const counts = (): unknown[] => {
      const { protocolVersion, feePerOperation, limits: of, scheduled } = world.next;
      return [world.height + 1, protocolVersion, feePerOperation, of.maxTransactions, scheduled.length];
    };
    assert.deepEqual(counts(), [4, 1, 0n, 1_024, 3]);
    world.does('d', { type: 'delete', key: 'x' });
    assert.deepEqual(counts(), [5, 1, 0n, 1_024, 3]);
    world.does('d', { type: 'delete', key: 'x' });
    assert.deepEqual(counts(), [6, 1, 50n, 9, 1]);
    for (const height of [7, 8]) {
      world.does('d', { type: 'delete', key: 'x' });
      assert.deepEqual(counts(), [height, 1, 50n, 9, 1]);
    }
    world.does('d', { type: 'delete', key: 'x' });
    assert.deepEqual(counts(), [9, 2, 50n, 9, 0]);
  });

  test('of the limits is kept by the blocks after it', () => {
    const world = new World({ validators: [keyOf('a')] });
    assert.equal(world.propose('a', narrow({ maxTransactions: 2 })), '', 'one validator decides alone');
    const three = [0, 1, 2].map((nonce) => put({ from: 'b', nonce }, `k${nonce}`, 'v'));
    const context = contextAt(2, { validatorsHash: world.validatorsHash as never });
    assert.ok('code' in executeBlock(world.state, context, three));
    assert.equal(buildBlock(world.state, context, three).transactions.length, 2);
  });

  test('of the validators counts from the next block on, and makes void what was proposed under the old ones', () => {
    const world = new World();
    world.propose('d', fee(5n));
    const other = world.of('d');
    world.propose('b', change(...four.slice(0, 2)));
    const late = world.of('b');
    assert.equal(world.propose('a', change(...four, usable)), '');
    const id = world.of('a');
    for (const name of ['b', 'c']) assert.equal(world.approve(name, id), '');
    assert.equal(world.validatorsHash, validatorSet([...four, usable]).hash);
    assert.deepEqual(world.next.validators, [...four, usable]);
    for (const void_ of [other, late]) assert.equal(world.approve('a', void_), 'change/other-validators');
    assert.equal(world.approve('d', id), 'change/decided');
    assert.equal(world.propose('c', fee(5n)), '');
    assert.equal(world.effects[0]?.needed, 4, 'of five');
    assert.equal(
      world.approve('a', other),
      'change/unknown-proposal',
      'the first under the new set makes room',
    );
  });

  test('of the validators: once the next set is decided nothing else is proposed or approved in its block', () => {
    const world = new World({ validators: [keyOf('a')] });
    const second = world.proposal(change(keyOf('a'), usable), { replaces: true });
    assert.equal(world.does('a', world.proposal(change(usable)), second), 'change/other-validators');
    assert.deepEqual(world.next.validators, [keyOf('a')], 'the whole transaction failed');
  });

  test('that makes no sense fails, each for its own reason, and leaves nothing behind', () => {
    const cases: [ChainChange, string, Parameters<World['proposal']>[1]?][] = [
      [change(), 'change/no-validators'],
      [change(...four, keyOf('a')), 'change/repeated-validator'],
      [change(...four), 'change/nothing-changes'],
      [raise(1), 'change/version-not-above'],
      [raise(0), 'change/version-not-above'],
      [raise(2, 40), 'change/height-not-ahead'],
      [raise(2, 1), 'change/height-not-ahead'],
      [fee(0n), 'change/nothing-changes'],
      [fee(901n), 'change/fee-not-payable'],
      [fee(5n, 3), 'change/height-not-ahead'],
      [narrow({}), 'change/nothing-changes'],
      [narrow({ maxTransactions: 0 }), 'change/limits'],
      [narrow({ maxTransactions: widestLimits.maxTransactions + 1 }), 'change/limits'],
      [narrow({ maxOperations: 255 }), 'change/limits'],
      [narrow({ maxBytes: 32_767 }), 'change/limits'],
      [narrow({ maxBytes: widestLimits.maxBytes + 1 }), 'change/limits'],
      [raise(), 'change/wrong-expiry', { expiryHeight: toHeight(0) }],
      [raise(2, 200_000), 'change/wrong-expiry', { expiryHeight: toHeight(100_002) }],
      [raise(), 'change/other-validators', { validatorsHash: hashOf('others') }],
      [raise(), 'change/other-validators', { members: Uint8Array.of(1) }],
    ];
    for (const [what, code, more] of cases) {
      const world = new World();
      assert.equal(
        world.propose('a', what, more),
        code,
        JSON.stringify(what, (_, v) => String(v)),
      );
      assert.deepEqual(world.state.proposalNames, []);
      assert.deepEqual(world.state.parameters.scheduled, []);
    }
    assert.equal(new World().propose('a', fee(900n)), '', 'what the proposer can pay once is no mistake');
    assert.equal(new World().propose('a', change(...four.slice(0, 3))), '', 'fewer than 3f + 1 is allowed');
  });

  test('is for validators alone: who is none neither proposes nor approves', () => {
    const world = new World();
    assert.equal(world.propose('stranger', raise()), 'change/not-a-validator');
    world.propose('a', raise());
    assert.equal(world.approve('stranger', world.of('a')), 'change/not-a-validator');
    assert.equal(world.approve('b', hashOf('nothing')), 'change/unknown-proposal');
  });

  test('is approved by each once, and only until it expires', () => {
    const world = new World();
    world.propose('a', raise(), { expiryHeight: toHeight(3) });
    const id = world.of('a');
    assert.equal(world.approve('a', id), 'change/already-approved');
    assert.equal(world.approve('b', id), '', 'at its expiry height it can be');
    assert.equal(world.approve('c', id), 'change/expired');
    assert.equal(world.propose('a', raise()), '', 'one that expired does not stand in the way');
    assert.equal(world.approve('c', id), 'change/unknown-proposal');
  });

  test('takes the place of another of its proposer only when it says so', () => {
    const world = new World();
    world.propose('a', fee(3n));
    const first = world.of('a');
    assert.equal(world.propose('a', fee(4n)), 'change/proposal-open');
    assert.equal(world.propose('a', fee(4n), { replaces: true }), '');
    assert.equal(world.approve('b', first), 'change/unknown-proposal');
    assert.equal(world.state.proposal(first as never), undefined);
    assert.equal(world.state.proposalNames.length, 1);
  });

  test('is judged again by each approval: what became wrong meanwhile is not decided', () => {
    const world = new World();
    world.propose('a', fee(800n));
    const dear = world.of('a');
    world.approve('b', dear);
    // Two blocks cost it 200 of its 1,000.
    world.does('c', { type: 'delete', key: 'x' });
    world.does('c', { type: 'delete', key: 'x' });
    assert.equal(world.approve('c', dear), 'change/fee-not-payable');
    assert.equal(world.approve('d', dear), '');
    assert.equal(world.next.feePerOperation, 800n);
  });
});

describe('a change of a Raft chain', () => {
  const voters = names.slice(0, 3).map((name): Member => ({ key: keyOf(name), role: 'voter' }));
  const learner: Member = { key: keyOf('stranger'), role: 'learner' };

  test('is decided by a majority of the voters that the proposal brings along', () => {
    const world = new World({}, [...voters, learner]);
    assert.equal(world.propose('a', raise()), '');
    assert.equal(world.effects[0]?.needed, 2);
    assert.equal(world.approve('stranger', world.of('a')), 'change/not-a-validator', 'a learner is none');
    assert.equal(world.approve('c', world.of('a')), '');
    assert.equal(world.effects[0]?.effectiveFrom, 50);
    assert.equal(world.last === undefined ? null : nextValidatorsOf(world.last), undefined);
  });

  test('is refused with other members than the header names, between two configurations, and of the members', () => {
    const world = new World({}, voters);
    const others = encodeConfiguration([...voters, { key: keyOf('d'), role: 'voter' }]);
    assert.equal(world.propose('a', raise(), { members: others }), 'change/other-validators');
    assert.equal(world.propose('a', raise(), { members: new Uint8Array() }), 'change/other-validators');
    assert.equal(world.propose('a', change(usable)), 'change/members');
    const many = Array.from({ length: limits.raftMembers }, (_, at): Member => ({
      key: keyOf(`member ${at}`),
      role: 'voter',
    }));
    assert.equal(
      world.propose('a', raise(), { members: encodeConfiguration(many) }),
      'change/other-validators',
      'as many voters as can be encoded: anybody may name them',
    );
    const joint: Member[] = [...voters, { key: keyOf('d'), role: 'joining' }];
    assert.equal(new World({}, joint).propose('a', raise()), 'change/members-changing');
  });

  test('is void under other members', () => {
    const world = new World({}, voters);
    world.propose('a', raise());
    world.validatorsHash = configurationHash([...voters, learner]);
    assert.equal(world.approve('b', world.of('a')), 'change/other-validators');
  });
});

test('a condition on the time is for protocol version 2 and later', () => {
  const asked = transaction(
    { from: 'a', nonce: 0, conditions: [{ type: 'time-at-most', time: 3_000 }] },
    {
      type: 'put',
      key: 'k',
      value: new Uint8Array(),
    },
  );
  const outcome = (protocolVersion: number, height: number): string => {
    const result = executeBlock(stateWith(balances, { protocolVersion }), contextAt(height), [asked]);
    return 'code' in result ? result.code : (result.receipts[0]?.code ?? '');
  };
  assert.equal(outcome(1, 3), 'transaction/later-version');
  assert.equal(outcome(2, 3), '', 'at that very time it holds');
  assert.equal(outcome(2, 4), 'condition/time-at-most');
});
