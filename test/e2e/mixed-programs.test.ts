import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, unwrap } from '../../src/base/problem.ts';
import { proposalOf } from '../../src/client/chain-proposal.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import { Wallet } from '../../src/client/wallet.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { encryptKey } from '../../src/crypto/keystore.ts';
import { toHeight } from '../../src/ledger/block.ts';
import { formatGenesis } from '../../src/ledger/genesis.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { type RunningNode, startNode } from '../../src/node/node.ts';
import { initDirectory } from '../../src/node/process/config.ts';
import { silentLog } from '../../src/node/process/log.ts';
import { testGenesis } from '../node/cluster.ts';

const genesis = testGenesis(4);
const from = toHeight(7);
let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'quorate-mixed-'));
});
after(() => rm(root, { recursive: true, force: true }));

const directoryOf = (index: number): string => join(root, `node-${index}`);

/** Real nodes on real connections; `newest` is the newest protocol version that the program knows. */
async function boot(index: number, newest: number, peers: readonly string[]): Promise<RunningNode> {
  return startNode({
    directory: directoryOf(index),
    override: { peers: [...peers] },
    newestProtocolVersion: newest,
    log: silentLog,
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 2_400; round++) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail(what);
}

test('two programs of one protocol version make one network, through a decided change and until its height', async () => {
  for (let index = 0; index < 4; index++) {
    const name = `validator-${index}`;
    await initDirectory({
      directory: directoryOf(index),
      config: {
        name,
        role: 'validator',
        listen: ['/ip4/127.0.0.1/tcp/0'],
        peers: [],
        api: { host: '127.0.0.1', port: 0 },
        log: 'silent',
      },
      genesis: formatGenesis(genesis),
      validatorKeyFile: encryptKey(developmentKeyPair(name), undefined, {
        name,
        cost: { n: 1_024, r: 8, p: 1 },
      }),
    });
  }
  const nodes: RunningNode[] = [];
  const addresses = () => nodes.flatMap((node) => node.addresses);
  try {
    for (let index = 0; index < 4; index++) nodes.push(await boot(index, index === 3 ? 1 : 2, addresses()));
    const [client, , , oldClient] = nodes.map(
      ({ apiAddress }) => new HttpClient({ baseUrl: apiAddress, deadlineMs: 60_000 }),
    ) as [HttpClient, HttpClient, HttpClient, HttpClient];
    await until('all are connected', async () => {
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
    await until('the older program says what it does not know', async () =>
      /knows up to 1: this node stops before it/.test(unwrap(await oldClient.why()).why),
    );
    const status = unwrap(await oldClient.status());
    assert.deepEqual(status.scheduledProtocolVersion, { version: 2, height: from });
    assert.deepEqual(status.knownProtocolVersions, { oldest: 1, newest: 1 });
    assert.match(unwrap(await oldClient.metrics()), /^quorate_protocol_version_scheduled 2$/m);

    const to = developmentKeyPair('bob').publicKey;
    const pay = (): Promise<void> => does('alice', { type: 'transfer', to, amount: 1n, memo: '' });
    while (unwrap(await client.status()).finalHeight < from) await pay();
    const old = nodes[3] ?? assert.fail();
    const ended = await old.ended;
    assert.ok(ended instanceof Problem);
    assert.equal(ended.code, 'chain/unknown-version');
    await old.stop();
    await assert.rejects(boot(3, 1, addresses().slice(0, 3)), { code: 'chain/unknown-version' });

    nodes[3] = await boot(
      3,
      2,
      nodes.slice(0, 3).flatMap((node) => node.addresses),
    );
    await pay();
    const { finalHeight, finalHash } = unwrap(await client.status());
    const newer = new HttpClient({ baseUrl: nodes[3].apiAddress, deadlineMs: 60_000 });
    await until(
      'the newer program goes on',
      async () => unwrap(await newer.status()).finalHeight >= finalHeight,
    );
    const block = unwrap(await newer.block(toHeight(finalHeight)));
    assert.equal(block.hash, finalHash);
    assert.equal(block.header.protocolVersion, 2);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
});
