import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { proposalOf } from '../../src/client/chain-proposal.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { toHeight } from '../../src/ledger/block.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { testGenesis } from '../node/cluster.ts';
import { Nodes } from './nodes.ts';
import { eventually } from '../support/eventually.ts';

const genesis = testGenesis(4);
const from = toHeight(7);
/** The newest protocol version that a program knows. */
const older = { newestProtocolVersion: 1 };
const newer = { newestProtocolVersion: 2 };
const deadlineMs = 60_000;

test('two programs of one protocol version make one network, through a decided change and until its height', async (t) => {
  const nodes = new Nodes(t, genesis);
  for (const index of [0, 1, 2]) await nodes.start(index, newer);
  await nodes.start(3, older);
  await nodes.allReady();
  const client = nodes.client(0, deadlineMs);
  const oldClient = nodes.client(3, deadlineMs);
  await eventually('all are connected', async () => {
    const { validators } = unwrap(await client.chainParameters());
    return validators.every(({ protocolVersions }) => protocolVersions !== null);
  });
  const parameters = unwrap(await client.chainParameters());
  assert.deepEqual(
    parameters.validators.map(({ protocolVersions }) => protocolVersions?.newest),
    [2, 2, 2, 1],
    'each says which versions it knows',
  );

  const does = async (name: string, operation: Operation): Promise<void> => {
    const keyPair = developmentKeyPair(name);
    const wallet = new Wallet({ chainId: genesis.chainId, keyPair });
    const { nonce } = unwrap(await client.account(encodeAddress(keyPair.publicKey)));
    const transaction = unwrap(wallet.build(operation, { nonce, fee: 0n, expiryHeight: toHeight(500) }));
    unwrap(await client.submit(transaction));
    const final = unwrap(await client.waitFinal(transaction.hash));
    assert.equal(final.inclusion.receipt.code, '');
  };
  const change = { type: 'protocol-version', version: 2, height: from } as const;
  await does('validator-0', proposalOf(parameters, change, { expiryHeight: toHeight(from - 1) }));
  const { proposals } = unwrap(await client.chainProposals());
  const id = proposals[0]?.id ?? assert.fail('a proposal');
  // The program that does not know the version may approve it like any other.
  for (const name of ['validator-3', 'validator-1'])
    await does(name, { type: 'approve-change', proposal: id });
  assert.equal(unwrap(await client.chainProposals()).proposals[0]?.status, 'decided');
  await eventually('the older program says what it does not know', async () =>
    /knows up to 1: this node stops before it/.test(unwrap(await oldClient.why()).why),
  );
  const status = unwrap(await oldClient.status());
  assert.deepEqual(status.scheduledProtocolVersion, { version: 2, height: from });
  assert.deepEqual(status.knownProtocolVersions, { oldest: 1, newest: 1 });
  assert.match(unwrap(await oldClient.metrics()), /^quorate_protocol_version_scheduled 2$/m);

  const to = developmentKeyPair('bob').publicKey;
  const pay = (): Promise<void> => does('alice', { type: 'transfer', to, amount: 1n, memo: '' });
  while (unwrap(await client.status()).finalHeight < from) await pay();
  const ended = await nodes.node(3).ended;
  assert.ok(ended instanceof Problem);
  assert.equal(ended.code, 'chain/unknown-version');
  await nodes.stop(3);
  await assert.rejects(nodes.start(3, older), { code: 'chain/unknown-version' });

  await nodes.start(3, newer);
  await pay();
  const { finalHeight, finalHash } = unwrap(await client.status());
  const newerClient = nodes.client(3, deadlineMs);
  await eventually(
    'the newer program goes on',
    async () => unwrap(await newerClient.status()).finalHeight >= finalHeight,
  );
  const block = unwrap(await newerClient.block(toHeight(finalHeight)));
  assert.equal(block.hash, finalHash);
  assert.equal(block.header.protocolVersion, 2);
});
