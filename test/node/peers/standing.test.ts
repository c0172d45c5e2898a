import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicKey } from '../../../src/crypto/signature.ts';
import { Standings } from '../../../src/node/peers/standing.ts';

const key = 'ab'.repeat(32) as PublicKey;

test('a member is its key, and a stranger the block that it comes from, for as long as it is connected', () => {
  const proven = new Map([['member', key]]);
  const stats = ['member', 'stranger'].map((peer) => ({
    peer,
    address: '/ip4/10.1.2.3/tcp/4000',
    queuedBytes: 0,
    droppedMessages: 0,
    penalties: 0,
  }));
  const standings = new Standings({
    memberKeyOf: (peer) => proven.get(peer),
    network: { stats: () => stats },
  });
  for (const { peer } of stats) standings.connected(peer);
  assert.deepEqual(standings.of('member'), { type: 'member', key });
  const stranger = standings.of('stranger');
  assert.ok(stranger.type === 'stranger' && stranger.block !== 'stranger');
  proven.clear();
  assert.deepEqual(standings.of('member'), stranger, 'who is no member any more comes from there, too');
  standings.forget('stranger');
  assert.deepEqual(standings.of('stranger'), { type: 'stranger', block: 'stranger' });
});
