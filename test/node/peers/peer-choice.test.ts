import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { peerChoice } from '../../../src/node/peers/peer-choice.ts';

test('the holders are asked first, then the validators and then the others, each of them in turns', () => {
  const validators = ['a', 'b', 'c'];
  const choice = peerChoice({
    network: { peers: () => ['x', 'a', 'y', 'b', 'c'] },
    registry: {
      peerOf: (validator) => validators[validator],
      validatorOf: (peer) => (validators.includes(peer) ? validators.indexOf(peer) : undefined),
    },
  });
  assert.equal(choice([2, 9]).join(''), 'cabxy');
  assert.equal(choice([]).join(''), 'bcayx');
  assert.equal(choice([]).join(''), 'cabxy');
  assert.equal(choice([1]).join(''), 'bacyx');
});

test('however many of the holders keep silent, those who answer are among the asked in their turn', () => {
  const names = Array.from({ length: 67 }, (_, index) => `v${index}`);
  const choice = peerChoice({
    network: { peers: () => names },
    registry: { peerOf: (validator) => names[validator], validatorOf: (peer) => names.indexOf(peer) },
  });
  // A third of them lie, and stand first in every certificate.
  const silent = new Set(names.slice(0, 33));
  const holders = [...names.keys()];
  const answering = holders.filter(() =>
    choice(holders)
      .slice(0, limits.fetchParallel)
      .some((peer) => !silent.has(peer)),
  );
  assert.ok(answering.length > holders.length / 2);
});
