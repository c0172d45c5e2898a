import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import type { Member } from '../../../src/ledger/members.ts';
import { vouching } from '../../../src/node/peers/vouching.ts';
import { raftGenesis, testGenesis, testProtocol } from '../cluster.ts';

const member = (role: Member['role']): Member => ({ key: 'ab'.repeat(32) as PublicKey, role });

test('in Raft a member takes the word of a member, for as long as both are', () => {
  const decided: { members: Member[] | undefined } = { members: [member('voter'), member('voter')] };
  const places = new Map([['peer', 1]]);
  let self: number | undefined = 0;
  const vouches = vouching({
    protocol: testProtocol(raftGenesis(2)),
    registry: { validatorOf: (peer) => places.get(peer) },
    decided,
    self: () => self,
  });
  assert.equal(vouches('peer'), true);
  assert.equal(vouches('observer'), false);
  decided.members = [member('voter'), member('removed')];
  assert.equal(vouches('peer'), false, 'it was removed');
  decided.members = undefined;
  assert.equal(vouches('peer'), true, 'they are those of the genesis file');
  self = undefined;
  assert.equal(vouches('peer'), false, 'this node is none');
});

test('in PBFT nobody takes anybody’s', () => {
  const vouches = vouching({
    protocol: testProtocol(testGenesis(4)),
    registry: { validatorOf: () => 1 },
    decided: { members: undefined },
    self: () => 0,
  });
  assert.equal(vouches('peer'), false);
});
