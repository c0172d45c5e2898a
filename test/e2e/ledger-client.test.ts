import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { Ledger } from '../../src/client/index.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { nativeSigner } from '../../src/crypto/native.ts';
import { temporaryDirectory } from '../cli/quorate.ts';
import { eventually } from '../support/eventually.ts';
import { Running } from './processes.ts';

test('an application’s 2,000 payments under way are all final, although the node that it talks to is killed with -9', async (t) => {
  const data = temporaryDirectory(t);
  const network = new Running(t, ['testnet', '--base-port', '0', '--data', data]);
  const { nodes } = await network.event<{ nodes: { node: number; api: string; pid: number }[] }>('ready');
  // The last is no primary, so that the others go on at once.
  const order = nodes.toReversed();
  const [victim] = order;
  assert.ok(victim !== undefined);
  const ledger = unwrap(await Ledger.connect({ endpoints: order.map(({ api }) => api) }));
  const alice = developmentKeyPair('alice');
  const bob = developmentKeyPair('bob').publicKey;
  const account = ledger.account(alice, { signer: nativeSigner(alice.secretKey) });
  const before = unwrap(await ledger.readAccount(bob));
  assert.equal(before.height, 0, 'as the genesis file says');

  const payments = Array.from({ length: 2_000 }, () => account.transfer(bob, 1n, { deadlineMs: 120_000 }));
  await eventually('some are final', () => account.waiting < 1_900);
  assert.ok(process.kill(victim.pid, 'SIGKILL'));
  const outcomes = await Promise.all(payments);

  const problems = outcomes.filter((outcome) => outcome instanceof Problem);
  assert.deepEqual(problems, []);
  const after = unwrap(await ledger.readAccount(bob));
  assert.equal(after.value.balance - before.value.balance, 2_000n);
  const sender = unwrap(await ledger.readAccount(alice.publicKey));
  assert.equal(sender.value.nonce, 2_000, 'none was signed twice');

  const value = Uint8Array.of(1, 2);
  unwrap(await account.put('note', value, { deadlineMs: 120_000 }));
  const { value: record, height } = unwrap(await ledger.readRecord('note'));
  assert.deepEqual([record?.value, record?.owner], [value, alice.publicKey]);
  assert.ok(height > after.height);
  assert.equal(unwrap(await ledger.readRecord('no such')).value, undefined);
  network.child.kill('SIGTERM');
  await network.ended();
});
