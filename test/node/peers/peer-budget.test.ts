import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../src/base/limits.ts';
import { PeerBudget } from '../../../src/node/peers/peer-budget.ts';

/** Members are named `key/identity` with a capital, strangers `block/identity`. */
const budget = (): PeerBudget =>
  new PeerBudget((peer) => {
    const [name = ''] = peer.split('/');
    return name === name.toLowerCase() ? { type: 'stranger', block: name } : { type: 'member', key: name };
  });

describe('the budget of a peer', () => {
  test('comes back when the work is done', () => {
    const peers = budget();
    const { underWay } = limits.memberClaims;
    const release = peers.take('Alice/1', 'claims', underWay, 0);
    assert.ok(release !== undefined);
    assert.equal(peers.take('Alice/1', 'claims', 1, 0), undefined);
    release();
    assert.ok(peers.take('Alice/1', 'claims', 1, 0) !== undefined);
  });

  test('lets what is larger than all of it go alone', () => {
    const peers = budget();
    assert.ok(peers.takeInside('0/1', limits.memberClaims.underWay + 1, 0) !== undefined);
    assert.equal(peers.takeInside('0/1', 1, 0), undefined);
    assert.ok(peers.takeInside('0/2', 1, 0) !== undefined, 'another signer has its own');
  });

  test('is one for all identities of a key, and one for all of an address block', () => {
    for (const name of ['Alice', 'block']) {
      const peers = budget();
      for (let identity = 0; identity < limits.peerFaults; identity++) peers.fault(`${name}/${identity}`, 0);
      assert.equal(peers.muted(`${name}/new`, 0), true);
      assert.equal(peers.muted(`${name}2/new`, 0), false);
      assert.equal(peers.muted(`${name}/new`, limits.peerMuteMs), false);
    }
  });

  test('of messages is another one than that of transactions', () => {
    const peers = budget();
    assert.ok(peers.take('Alice/1', 'transactions', limits.memberTransactions.underWay, 0) !== undefined);
    assert.ok(peers.take('Alice/1', 'claims', 1, 0) !== undefined);
  });

  test('of a member stands, whatever strangers do, and however many addresses they have', () => {
    const peers = budget();
    peers.fault('Liar/1', 0, limits.peerFaults);
    for (let block = 0; block < 2 * limits.peersRemembered; block++) {
      peers.fault(`b${block}/1`, 0, limits.peerFaults);
      peers.take(`b${block}/1`, 'claims', 1, 0);
    }
    assert.equal(peers.muted('Liar/2', 0), true, 'and nobody is forgotten for them');
    assert.equal(peers.take('other/1', 'claims', 1, 0), undefined, 'what is theirs is used up');
    assert.ok(peers.take('Alice/1', 'claims', 1, 0) !== undefined);
  });

  test('counts what a message costs besides its bytes: the smallest are not free', () => {
    const peers = budget();
    let taken = 0;
    while (taken < 1_000_000 && peers.takeBytes('Alice/1', 1, 0)) taken += 1;
    assert.equal(taken, Math.floor(limits.memberBytes.burst / (1 + limits.messageOverheadBytes)));
  });

  test('for what stands inside messages is the signer’s, and ends with a lie', () => {
    const peers = budget();
    peers.faultInside('0/3', 0);
    assert.equal(peers.mutedInside('0/3', limits.peerMuteMs - 1), true);
    assert.equal(peers.mutedInside('0/3', limits.peerMuteMs), false);
    assert.equal(peers.mutedInside('0/2', 0), false);
  });
});
