import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { widestLimits } from '../../src/ledger/chain-parameters.ts';
import { origin, status } from '../client/fake-api.ts';
import { fakeChain, validatorsAnswer } from './chain.ts';
import { problemOf, quorate } from './quorate.ts';

const id = 'c4a7249180'.padEnd(64, '0');
const validators = ['validator-0', 'validator-1', 'validator-2'].map((name, index) => {
  const { publicKey } = developmentKeyPair(name);
  const protocolVersions = [{ oldest: 1, newest: 2 }, { oldest: 1, newest: 3 }, null][index];
  return { name: index === 2 ? null : name, publicKey, address: encodeAddress(publicKey), protocolVersions };
});
const [, , third] = validators;

/** A node that knows of three validators: one whose program is old, one whose program is new, one that is away. */
const chain = (t: TestContext, engine = 'pbft') => {
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
      '/v1/chain/parameters': {
        ...at,
        engine,
        ...rules,
        validators,
        members: engine === 'raft' ? '00' : '',
        needed: 3,
      },
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

test('members of a Raft chain are not proposed: it would cost a fee and change nothing', async (t) => {
  const { url, submitted } = await chain(t, 'raft');
  const add = ['validators', 'propose', '--add', 'validator-5', '--from', 'validator-0'];
  const ran = await quorate([...add, '--node', url, '--json']);
  assert.equal(ran.code, 2);
  assert.match(problemOf(ran).remedy, /quorate members add/);
  assert.equal(submitted.length, 0);
});

test('a set without validators is not even signed', async (t) => {
  const { url, submitted } = await chain(t);
  const removed = validators.flatMap(({ address }) => ['--remove', address]);
  const nobody = ['validators', 'propose', ...removed, '--from', 'validator-0', '--node', url];
  const ran = await quorate([...nobody, '--json']);
  assert.equal(ran.code, 2);
  assert.match(problemOf(ran).message, /no validator would be left/);
  assert.equal(submitted.length, 0);
  const swapped = [...nobody, '--add', 'validator-5'];
  const { code, err } = await quorate(swapped);
  assert.equal(code, 0, err);
  assert.match(
    err,
    /^Now: 3 validators, 0 may lie, or 1 be away, 2 decide\. Then: 1 validators, 0 may lie or be away, /,
  );
});

describe('a set of validators of which too few are there', () => {
  const fifth = encodeAddress(developmentKeyPair('validator-4').publicKey);
  const add = (name: string) => ['validators', 'propose', '--add', name, '--from', 'validator-0'];

  test('is not proposed, or only by force', async (t) => {
    const { url, submitted } = await fakeChain(t);
    const refused = await quorate([...add('validator-4'), '--node', url, '--json']);
    assert.equal(refused.code, 1);
    const { code, message, remedy } = problemOf(refused);
    assert.equal(code, 'consensus/quorum-loss');
    assert.equal(
      message,
      `4 of the 5 validators would have to decide, and the node that was asked knows 3 of them to be there: it does not hear validator-2, ${fifth}`,
    );
    assert.match(remedy, /Start their nodes first.*--force.*Nothing was signed/);
    assert.equal(submitted.length, 0);
    const forced = await quorate([...add('validator-4'), '--node', url, '--force', '--json']);
    assert.equal(forced.code, 0, forced.err);
    assert.deepEqual(JSON.parse(forced.err), {
      warning: `${message}. If they do not come, nothing is decided any more.`,
    });
    assert.equal(submitted.length, 1);
  });

  test('is judged by connections where the node is older and says no more', async (t) => {
    const { strangers: _, ...older } = validatorsAnswer;
    const connected = older.validators.map(({ heard: _heard, ...one }) => ({ ...one, connected: true }));
    const away = connected.map((one, index) => ({ ...one, connected: index !== 2 }));
    const all = await fakeChain(t, { answers: { '/v1/validators': { ...older, validators: connected } } });
    const proposed = await quorate([...add('validator-4'), '--node', all.url, '--json']);
    assert.equal(proposed.code, 0, proposed.err);
    const three = await fakeChain(t, { answers: { '/v1/validators': { ...older, validators: away } } });
    const refused = await quorate([...add('validator-4'), '--node', three.url, '--json']);
    assert.match(problemOf(refused).message, /it does not hear, or is too old to say so, validator-2, qr1/);
    assert.equal(three.submitted.length, 0);
  });

  test('is no matter where a quorum of it is heard, or is connected already', async (t) => {
    const { url, submitted } = await fakeChain(t);
    for (const changes of [
      ['--add', 'validator-5'],
      ['--swap', 'validator-2=validator-4'],
      ['--remove', 'validator-2'],
    ]) {
      const ran = await quorate([
        'validators',
        'propose',
        ...changes,
        '--from',
        'validator-0',
        '--node',
        url,
        '--json',
      ]);
      assert.equal(ran.code, 0, ran.err);
      assert.equal(ran.err, '');
    }
    assert.equal(submitted.length, 3);
  });

  test('is not approved, or only by force', async (t) => {
    const addressOf = (index: number) => encodeAddress(developmentKeyPair(`validator-${index}`).publicKey);
    const change = { type: 'validators', validators: [0, 1, 2, 3, 4].map(addressOf) };
    const proposal = {
      id,
      proposer: addressOf(1),
      change,
      expiryHeight: 59,
      validatorsHash: '66'.repeat(32),
      approvals: [addressOf(1)],
      needed: 3,
      decidedAt: null,
      status: 'open',
    };
    const answers = { '/v1/chain/proposals': { ...origin, height: 40, proposals: [proposal] } };
    const { url, submitted } = await fakeChain(t, { answers });
    for (const command of ['validators', 'chain']) {
      const approve = [command, 'approve', id.slice(0, 8), '--from', 'validator-0', '--node', url, '--json'];
      const refused = await quorate(approve);
      assert.equal(refused.code, 1);
      assert.equal(problemOf(refused).code, 'consensus/quorum-loss');
      const forced = await quorate([...approve, '--force']);
      assert.equal(forced.code, 0, forced.err);
      assert.match(forced.err, /"warning":"4 of the 5 validators/);
    }
    assert.equal(submitted.length, 2);
  });
});
