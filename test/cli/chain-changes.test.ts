import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { widestLimits } from '../../src/ledger/chain-parameters.ts';
import { origin, status } from '../client/fake-api.ts';
import { fakeChain } from './chain.ts';
import { problemOf, quorate } from './quorate.ts';

const id = 'c4a7249180'.padEnd(64, '0');
const validators = ['validator-0', 'validator-1', 'validator-2'].map((name, index) => {
  const { publicKey } = developmentKeyPair(name);
  const protocolVersions = [{ oldest: 1, newest: 2 }, { oldest: 1, newest: 3 }, null][index];
  return { name: index === 2 ? null : name, publicKey, address: encodeAddress(publicKey), protocolVersions };
});
const [, , third] = validators;

/** A node that knows of three validators: one whose program is old, one whose program is new, one that is away. */
const chain = (t: TestContext) => {
  const at = {
    ...origin,
    height: 40,
    blockHash: status.finalHash,
    stateRoot: status.stateRoot,
    validatorsHash: '66'.repeat(32),
  };
  const rules = { protocolVersion: 1, feePerOperation: '0', limits: widestLimits, scheduled: [] };
  const change = { type: 'protocol-version', version: 3, height: 60 };
  const proposal = {
    id,
    proposer: validators[1]?.address,
    change,
    expiryHeight: 59,
    validatorsHash: at.validatorsHash,
    approvals: [validators[1]?.address],
    needed: 3,
    decidedAt: null,
    status: 'open',
  };
  return fakeChain(t, {
    answers: {
      '/v1/chain/parameters': { ...at, ...rules, validators, members: '', needed: 3 },
      '/v1/chain/proposals': { ...at, proposals: [proposal] },
    },
  });
};

describe('who proposes or approves a protocol version', () => {
  const warning = `Not known to know version 3: validator-0, ${third?.address}. A node that does not know it stops before its height.`;

  test('is told whose nodes would stop before it', async (t) => {
    const { url, submitted } = await chain(t);
    const proposed = ['chain', 'propose', 'version', '3', '--at', '+20', '--from', 'validator-1'];
    const first = await quorate([...proposed, '--node', url]);
    assert.equal(first.code, 0, first.err);
    assert.equal(first.err, `warning: ${warning}\n`);
    const second = await quorate([
      'chain',
      'approve',
      id.slice(0, 8),
      '--from',
      'validator-0',
      '--node',
      url,
    ]);
    assert.equal(second.code, 0, second.err);
    assert.equal(second.err, `This approves: protocol version 3, from height 60.\nwarning: ${warning}\n`);
    const operations = submitted.flatMap((transaction) => transaction.operations);
    assert.deepEqual(
      operations.map(({ type }) => type),
      ['propose-change', 'approve-change'],
    );
    const [proposal] = operations;
    assert.ok(proposal?.type === 'propose-change');
    assert.deepEqual(proposal.change, { type: 'protocol-version', version: 3, height: 60 });
    assert.equal(proposal.expiryHeight, 59);
  });

  test('is told nothing where all know it, and a program is told in JSON', async (t) => {
    const { url } = await chain(t);
    const [, known] = validators;
    const { url: ready } = await fakeChain(t, {
      answers: {
        '/v1/chain/parameters': {
          ...origin,
          height: 40,
          blockHash: '11'.repeat(32),
          stateRoot: '22'.repeat(32),
          protocolVersion: 1,
          feePerOperation: '0',
          limits: { maxTransactions: 10, maxOperations: 20, maxBytes: 1_000_000 },
          scheduled: [],
          validatorsHash: '66'.repeat(32),
          validators: [known],
          members: '',
          needed: 1,
        },
      },
    });
    const proposed = ['chain', 'propose', 'version', '3', '--at', '+20', '--from', 'validator-1'];
    const people = await quorate([...proposed, '--node', ready]);
    assert.equal(people.code, 0, people.err);
    assert.equal(people.err, '');
    const program = await quorate([...proposed, '--node', url, '--json']);
    assert.equal(program.code, 0, program.err);
    assert.deepEqual(JSON.parse(program.err), { warning });
  });
});

test('a set without validators is not even signed', async (t) => {
  const { url, submitted } = await chain(t);
  const removed = validators.flatMap(({ address }) => ['--remove', address]);
  const nobody = ['validators', 'propose', ...removed, '--from', 'validator-0', '--node', url];
  const ran = await quorate([...nobody, '--json']);
  assert.equal(ran.code, 2);
  assert.match(problemOf(ran).message, /no validator would be left/);
  assert.equal(submitted.length, 0);
  const swapped = [...nobody, '--add', 'validator-9'];
  const { code, err } = await quorate(swapped);
  assert.equal(code, 0, err);
  assert.match(err, /^Now: 3 validators, 0 may lie or be away, 2 decide\. Then: 1 validators, /);
});
