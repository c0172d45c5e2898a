import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { Problem } from '../../../src/base/problem.ts';
import { validatorSet } from '../../../src/ledger/validators.ts';
import { afterJoint, quorumOf, quorumValue, withChanges } from '../../../src/consensus/raft/configuration.ts';
import { keyOf } from './world.ts';
import {
  configurationHash,
  decodeConfiguration,
  encodeConfiguration,
  isJoint,
  type Member,
} from '../../../src/ledger/members.ts';

const members = (...roles: Member['role'][]): Member[] =>
  roles.map((role, index) => ({ key: keyOf(index), role }));

test('a quorum is a majority of the voters; in the joint phase of the old and of the new ones, each by itself', () => {
  const cases: [Member['role'][], yes: number[], boolean][] = [
    [['voter'], [0], true],
    [['voter', 'voter'], [0], false],
    [['voter', 'voter', 'voter'], [0, 2], true],
    [['voter', 'voter', 'voter', 'voter'], [0, 2], false],
    [['voter', 'voter', 'voter', 'learner', 'learner'], [0, 3, 4], false],
    [['voter', 'voter', 'voter', 'removed'], [0, 1], true],
    // Old 0 1 2, new 0 3 4.
    [['voter', 'leaving', 'leaving', 'joining', 'joining'], [0, 1], false],
    [['voter', 'leaving', 'leaving', 'joining', 'joining'], [0, 3, 4], false],
    [['voter', 'leaving', 'leaving', 'joining', 'joining'], [0, 1, 3], true],
    [['voter', 'leaving', 'demoted', 'joining', 'joining'], [0, 2, 4], true],
    // Old 0 1 2, new 1 2: the leaving one helps with the old majority only.
    [['leaving', 'voter', 'voter'], [0, 1], false],
    [['leaving', 'voter', 'voter'], [1, 2], true],
  ];
  for (const [roles, yes, expected] of cases) {
    const title = `${roles.join()} with ${yes.join()}`;
    assert.equal(
      quorumOf(members(...roles), (index) => yes.includes(index)),
      expected,
      title,
    );
    assert.equal(
      quorumValue(members(...roles), (index) => (yes.includes(index) ? 7 : 3)),
      expected ? 7 : 3,
      title,
    );
  }
});

test('a change leads through a joint phase when votes change, and directly when they do not', () => {
  const start = members('voter', 'voter', 'voter');
  const learner = withChanges(start, [{ key: keyOf(3), role: 'learner' }]);
  assert.ok(!(learner instanceof Problem) && !isJoint(learner));
  const joint = withChanges(learner, [
    { key: keyOf(3), role: 'voter' },
    { key: keyOf(0), role: 'removed' },
    { key: keyOf(1), role: 'learner' },
  ]);
  assert.ok(!(joint instanceof Problem) && isJoint(joint));
  assert.deepEqual(
    joint.map(({ role }) => role),
    ['leaving', 'demoted', 'voter', 'joining'],
  );
  assert.deepEqual(
    afterJoint(joint).map(({ role }) => role),
    ['removed', 'learner', 'voter', 'voter'],
  );
});

test('a removed key keeps its index, and gets it again', () => {
  const back = withChanges(members('removed', 'voter'), [{ key: keyOf(0), role: 'learner' }]);
  assert.ok(!(back instanceof Problem));
  assert.deepEqual(
    back.map(({ role }) => role),
    ['learner', 'voter'],
  );
});

test('changes that make no sense are refused', () => {
  const start = members('voter', 'learner');
  for (const changes of [
    [],
    [{ key: keyOf(0), role: 'voter' as const }],
    [{ key: keyOf(0), role: 'removed' as const }],
    [{ key: keyOf(7), role: 'removed' as const }],
    [
      { key: keyOf(1), role: 'voter' as const },
      { key: keyOf(1), role: 'removed' as const },
    ],
  ]) {
    assert.ok(withChanges(start, changes) instanceof Problem, JSON.stringify(changes));
  }
});

test('there is room for a bounded number of keys, those included that were removed', () => {
  const full = members(...Array.from({ length: limits.raftMembers }, () => 'voter' as const));
  const problem = withChanges(full, [{ key: keyOf(limits.raftMembers), role: 'learner' }]);
  assert.ok(problem instanceof Problem && /256 members already/.test(problem.message));
  assert.ok(!(withChanges(full.slice(1), [{ key: keyOf(0), role: 'learner' }]) instanceof Problem));
  assert.ok(!(withChanges(full, [{ key: keyOf(0), role: 'removed' }]) instanceof Problem));
});

test('its bytes come back; a key twice, or nobody who votes, is malformed', () => {
  const configuration = members('voter', 'leaving', 'joining', 'demoted', 'learner', 'removed');
  assert.deepEqual(decodeConfiguration(encodeConfiguration(configuration)), configuration);
  const twice = encodeConfiguration(members('voter', 'voter'));
  twice.copyWithin(2 + 33, 2, 2 + 32);
  assert.ok(decodeConfiguration(twice) instanceof Problem);
  const none = encodeConfiguration(members('voter'));
  none[none.length - 1] = 1;
  assert.ok(decodeConfiguration(none) instanceof Problem);
});

test('voters only: the hash of a plain validator set; anything else has a hash of its own', () => {
  assert.equal(configurationHash(members('voter', 'voter')), validatorSet([0, 1].map(keyOf)).hash);
  const hashes = new Set(
    [
      members('voter', 'voter'),
      members('voter', 'learner'),
      members('voter', 'removed'),
      members('voter', 'joining'),
      members('voter'),
    ].map(configurationHash),
  );
  assert.equal(hashes.size, 5);
});

test('more voters than a plain validator set names have a hash too', () => {
  const voters = members(...Array.from({ length: limits.maxValidators + 1 }, () => 'voter' as const));
  const most = voters.slice(0, limits.maxValidators);
  assert.equal(configurationHash(most), validatorSet(most.map(({ key }) => key)).hash);
  assert.notEqual(configurationHash(voters), configurationHash(most));
});
