import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerChoice } from '../../../src/node/peers/peer-choice.ts';

test('the holders are asked first, then the validators and then the others, these in turns', () => {
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
