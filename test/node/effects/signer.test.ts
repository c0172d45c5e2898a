import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { developmentKeyPair } from '../../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../../src/crypto/native.ts';
import type { Unsigned } from '../../../src/consensus/engine.ts';
import { toHeight, toView } from '../../../src/ledger/block.ts';
import { Signer } from '../../../src/node/effects/signer.ts';

const pair = developmentKeyPair('validator-0');
const sign = nativeSigner(pair.secretKey);

function signer(records: ReadonlyMap<string, Uint8Array> = new Map()): Signer {
  return new Signer({ publicKey: pair.publicKey, sign, records });
}

function message(key: string, content: string, view = 0, floor = 0): Unsigned {
  return {
    epoch: toHeight(0),
    key,
    view: toView(view),
    floor: toView(floor),
    bytes: utf8(content),
    preimage: utf8(`about ${content}`),
  };
}

/** The log after these batches are on disk. */
function written(...batches: { records: readonly { key: string; value: Uint8Array | null }[] }[]) {
  const log = new Map<string, Uint8Array>();
  for (const { records } of batches) {
    for (const { key, value } of records) {
      if (value === null) log.delete(key);
      else log.set(key, value);
    }
  }
  return log;
}

describe('the signer', () => {
  test('gives the bytes with the signature at their end, and the record that must be written first', () => {
    const { signed, records } = signer().signDurably([message('vote/0/1', 'block a')]);
    const expected = Buffer.concat([utf8('block a'), Buffer.from(sign(utf8('about block a')), 'hex')]);
    assert.deepEqual(Buffer.from(signed[0] ?? []), expected);
    assert.deepEqual(
      records.map(({ key }) => key),
      ['vote/0/1'],
    );
  });

  test('refuses a second content for one key', () => {
    const one = signer();
    one.signDurably([message('vote/0/1', 'block a')]);
    assert.throws(() => one.signDurably([message('vote/0/1', 'block b')]), InvariantError);
  });

  test('refuses it after a restart too, and gives what it recorded when asked for the same', () => {
    const before = signer().signDurably([message('vote/0/1', 'block a')]);
    const after = signer(written(before));
    assert.throws(() => after.signDurably([message('vote/0/1', 'block b')]), InvariantError);
    const again = after.signDurably([message('vote/0/1', 'block a')]);
    assert.deepEqual(again.signed, before.signed);
    assert.deepEqual(again.records, [], 'it is on disk already');
  });

  test('refuses everything of an epoch before the last one that it signed in, also after a restart', () => {
    const inEpoch = (epoch: number, rest: Unsigned): Unsigned => ({ ...rest, epoch: toHeight(epoch) });
    const before = signer();
    const left = before.signDurably([message('view-change/0/3', 'leaving', 3, 3)]);
    const first = before.signDurably([inEpoch(7, message('vote/7/0/8', 'block', 0))]);
    assert.deepEqual(before.floor, { epoch: 7, view: 0 }, 'views begin anew');
    for (const one of [before, signer(written(left, first))]) {
      assert.throws(() => one.signDurably([message('vote/0/9/6', 'block', 9)]), InvariantError);
      assert.throws(() => one.signLoosely(message('', 'where it stands', 9)), InvariantError);
      one.signDurably([inEpoch(7, message('vote/7/0/9', 'block', 0))]);
    }
    const loose = signer(written(left));
    loose.signLoosely(inEpoch(7, message('', 'where it stands')));
    assert.throws(() => loose.signDurably([message('vote/0/9/6', 'block', 9)]), InvariantError);
  });

  test('refuses everything of a view that it left, also after a restart', () => {
    const before = signer();
    const left = before.signDurably([message('view-change/3', 'leaving', 3, 3)]);
    assert.throws(() => before.signDurably([message('vote/2/9', 'block', 2)]), InvariantError);
    const after = signer(written(left));
    assert.equal(after.floor.view, 3);
    assert.throws(() => after.signDurably([message('vote/2/9', 'block', 2)]), InvariantError);
    after.signDurably([message('vote/3/9', 'block', 3)]);
  });

  test('records a floor that was raised in memory before', () => {
    const before = signer();
    before.signLoosely(message('block/1', 'mine', 3, 3));
    const left = before.signDurably([message('view-change/3', 'leaving', 3, 3)]);
    assert.equal(signer(written(left)).floor.view, 3);
  });

  test('keeps its floor when the engine forgets the message that raised it', () => {
    const before = signer();
    const left = before.signDurably([message('view-change/3', 'leaving', 3, 3)]);
    const forgotten = { records: [{ key: 'view-change/3', value: null }] };
    const after = signer(written(left, forgotten));
    assert.throws(() => after.signDurably([message('vote/2/9', 'block', 2)]), InvariantError);
  });

  test('signs for a key again once the engine removed its record', () => {
    const one = signer();
    one.signDurably([message('vote/0/1', 'block a')]);
    one.recorded([{ key: 'vote/0/1', value: null }]);
    assert.doesNotThrow(() => one.signDurably([message('vote/0/1', 'block b')]));
  });

  test('signs without a record only what contradicts nothing, and raises the floor only under a key', () => {
    const one = signer();
    one.signLoosely(message('', 'status one'));
    one.signLoosely(message('', 'status two'));
    one.signLoosely(message('block/5', 'a', 1));
    assert.throws(() => one.signLoosely(message('block/5', 'b', 1)), InvariantError);
    assert.throws(() => one.signLoosely(message('', 'status', 4, 4)), InvariantError);
    one.signDurably([message('vote/0/1', 'block a')]);
    assert.throws(() => one.signLoosely(message('vote/0/1', 'block b')), InvariantError);
  });

  test('holds a floor that was raised without a record for as long as it runs', () => {
    const one = signer();
    one.signLoosely(message('raft/block/3/1', 'a', 3, 3));
    assert.throws(() => one.signLoosely(message('raft/block/2/1', 'b', 2, 2)), InvariantError);
    assert.equal(one.floor.view, 3);
  });

  test('never lets an engine read or write what the node keeps in the log', () => {
    const { records } = signer().signDurably([message('view-change/3', 'leaving', 3, 3)]);
    const log = written({ records });
    assert.deepEqual([...Signer.engineRecords(log).keys()], ['view-change/3']);
    assert.throws(() => signer().recorded([{ key: 'node-signer-floor', value: null }]), InvariantError);
  });

  test('does not start on a damaged floor', () => {
    const damaged = new Map([['node-signer-floor', Uint8Array.of(1)]]);
    assert.throws(() => signer(damaged), { code: 'storage/damaged' });
  });
});
