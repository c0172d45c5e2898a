import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { keyPairFromSeed } from '../../src/crypto/keys.ts';
import { createGenesis, formatGenesis } from '../../src/ledger/genesis.ts';
import { unwrap } from '../../src/base/problem.ts';
import { reservationText } from '../../src/ledger/reservation-id.ts';
import { pageReading } from '../../src/ledger/page-reading.ts';
import {
  accountReading,
  namespaceReading,
  recordReading,
  reservationReading,
} from '../../src/ledger/state-reading.ts';
import { fakeApi, problemReply } from '../client/fake-api.ts';
import { doubleVoteOf, genesisOf, proofOf, stateProofOf } from '../client/proof-samples.ts';
import { jsonOf, problemOf, quorate, temporaryDirectory } from './quorate.ts';

const alice = developmentKeyPair('alice').publicKey;
const bob = developmentKeyPair('bob').publicKey;
const own = keyPairFromSeed(new Uint8Array(32).fill(9)).publicKey;

/** A node that proves what it says of alice, bob and two records, and lies as it is told. */
async function chain(t: TestContext, lie: (answer: object) => object = (answer) => answer) {
  const directory = temporaryDirectory(t);
  const genesis = genesisOf('pbft');
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const origin = { engine: 'pbft', chainId: genesis.chainId };
  const account = (key: typeof alice) => stateProofOf(genesis, accountReading, key).answer;
  const record = (key: string) => stateProofOf(genesis, recordReading, key).answer;
  const answers = new Map<string, object>([
    [`/v1/proofs/accounts/${alice}`, account(alice)],
    [`/v1/proofs/accounts/${bob}`, account(bob)],
    ['/v1/proofs/records?key=note', record('note')],
    ['/v1/proofs/records?key=gone', record('gone')],
    ['/v1/proofs/records?key=never', record('never')],
    ['/v1/records/history?key=note&limit=100', versionsOfNote()],
    ...[1, 2, 3].map((at): [string, object] => {
      const { json, transaction } = proofOf(genesis, 1, at);
      return [`/v1/transactions/${transaction.hash}`, json];
    }),
    ['/v1/proofs/namespaces/shop', stateProofOf(genesis, namespaceReading, 'shop').answer],
    ...['shop', 'shed'].map((namespace): [string, object] => {
      const { answer } = stateProofOf(genesis, pageReading, { namespace, after: undefined });
      return [`/v1/proofs/namespaces/${namespace}/records`, answer];
    }),
    ...blockAnswers(),
    ['/v1/evidence?offset=0&limit=100', { ...origin, offset: 0, evidence: evidence() }],
    ['/v1/proofs/namespaces/shed', stateProofOf(genesis, namespaceReading, 'shed').answer],
    ...[0, 1].map((operation): [string, object] => {
      const id = { sender: alice, nonce: 9, operation };
      const path = `/v1/proofs/reservations/${encodeURIComponent(reservationText(id))}`;
      return [path, stateProofOf(genesis, reservationReading, id).answer];
    }),
  ]);
  function blockAnswers(): [string, object][] {
    const { inclusion, json, block } = proofOf(genesis, 1);
    const { header, descendants, certificate } = json['inclusion'] as Record<string, unknown>;
    const hash = inclusion.blockHash;
    const finality = { ...origin, hash, header, descendants, certificate };
    const transactionHashes = block.transactions.map((one) => (one as { hash: string }).hash);
    return [
      [`/v1/blocks/${'ab'.repeat(32)}/finality`, { ...finality, hash: 'ab'.repeat(32) }],
      ...['1', '2', 'latest', hash].map((name): [string, object] => [
        `/v1/blocks/${name}/finality`,
        finality,
      ]),
      [
        `/v1/blocks/${hash}?full=true`,
        { ...origin, hash, header, certificate: null, transactionHashes, ...block },
      ],
    ];
  }
  function evidence() {
    const made = { ...doubleVoteOf(genesis, 'commit'), accused: 2, kind: 'commit', bytes: '00' };
    const [one, two] = made.contradiction?.messages ?? [];
    const forged = { ...two, signature: one?.signature };
    const views = [one, two].map((message) => ({ ...message, kind: 'view-change' }));
    return [
      made,
      { ...made, contradiction: { ...made.contradiction, messages: [one, forged] } },
      { ...made, kind: 'view-change', contradiction: { ...made.contradiction, messages: views } },
    ];
  }
  /** The list that says which transactions to ask for. */
  function versionsOfNote() {
    const versions = [2, 1].map((at) => ({
      version: at,
      made: { height: 1, transaction: at, operation: 0 },
      timestamp: 1,
      transactionHash: proofOf(genesis, 1, at).transaction.hash,
      by: encodeAddress(bob),
      change: 'delete',
      value: null,
      to: null,
    }));
    return { ...origin, key: 'note', height: 1, completeFrom: 1, next: null, versions };
  }
  const { url } = await fakeApi(t, ({ url: path }) => {
    const answer = answers.get(path);
    if (answer === undefined) return problemReply(404, 'api/no-such-block');
    return { body: lie(answer) };
  });
  const args = ['--node', url, '--genesis', file('genesis.json', formatGenesis(genesis))];
  return { args, file, genesis, account };
}

test('with a genesis file an account and a record are proven, and said to be of which block', async (t) => {
  const { args, genesis } = await chain(t);
  const shown = await quorate(['account', 'alice', ...args]);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /^balance +945$/m);
  assert.match(shown.out, /^next nonce +10$/m);
  assert.match(shown.out, /^as of +block 1, /m);
  assert.match(shown.out, /^certificate +3 of 4 validators signed/m);
  const json = jsonOf(await quorate(['account', encodeAddress(bob), ...args, '--json']));
  assert.deepEqual(
    [json['balance'], json['nonce'], json['height'], json['chainId'], json['engine']],
    ['5', 0, 1, genesis.chainId, 'pbft'],
  );
  assert.deepEqual(
    (json['steps'] as { check: string }[]).map(({ check }) => check),
    ['state', 'headers', 'certificate'],
  );

  const note = await quorate(['get', 'note', ...args]);
  assert.match(note.out, /^value +b$/m);
  assert.match(note.out, /^certificate +3 of 4 validators signed/m);
  assert.equal((await quorate(['get', 'note', ...args, '--raw'])).out, 'b');
  const record = jsonOf(await quorate(['get', 'note', ...args, '--json']));
  assert.deepEqual([record['value'], record['version'], record['height']], ['62', 2, 1]);
  const gone = await quorate(['get', 'gone', ...args, '--json']);
  assert.deepEqual([gone.code, problemOf(gone).code], [5, 'api/no-such-record']);
  assert.match(problemOf(gone).message, /there is no record "gone" after block 1: that is proven/);
  assert.match(problemOf(gone).remedy, /^Check the key; if it was just written/);

  const shop = await quorate(['namespace', 'show', 'shop', ...args]);
  assert.match(shop.out, /^mode +open$/m);
  assert.match(shop.out, /^certificate +3 of 4 validators signed/m);
  const shed = await quorate(['namespace', 'show', 'shed', ...args, '--json']);
  assert.deepEqual([shed.code, problemOf(shed).code], [5, 'api/no-such-namespace']);
  const held = jsonOf(await quorate(['reservation', 'alice:9:0', ...args, '--json']));
  assert.deepEqual(
    [held['status'], held['amount'], held['recipient'], held['height']],
    ['held', '30', encodeAddress(bob), 1],
  );
  const none = await quorate(['reservation', 'alice:9:1', ...args, '--json']);
  assert.deepEqual([none.code, problemOf(none).code], [5, 'api/no-such-reservation']);
  assert.match(problemOf(none).remedy, /if it ended long ago, look at the transactions of its sender/);
});

test('with a genesis file a list of a namespace is proven to lack nothing', async (t) => {
  const { args } = await chain(t);
  const shop = await quorate(['list', 'shop/', ...args]);
  assert.match(shop.out, /^shop\/price +1 +\S+ +9$/m, shop.err);
  assert.match(shop.out, /^1 at height 1$/m);
  assert.match(shop.out, /^state +.*the records of "shop", none left out$/m);
  assert.match(shop.out, /^certificate +3 of 4 validators signed/m);
  const listed = async (...of: string[]) => {
    const { records, next, height } = jsonOf(await quorate(['list', ...of, ...args, '--json']));
    return [(records as { key: string }[]).map(({ key }) => key), next, height];
  };
  assert.deepEqual(await listed('shop/'), [['shop/price'], null, 1]);
  assert.deepEqual(await listed('shop/pr', '--limit', '1'), [['shop/price'], null, 1]);
  assert.deepEqual(await listed('shop/x'), [[], null, 1]);
  assert.deepEqual(await listed('shop/', '--after', 'shop/p'), [['shop/price'], null, 1]);
  assert.deepEqual(await listed('shop/', '--after', 'shop/price'), [[], null, 1]);
  assert.deepEqual(await listed('shed/'), [[], null, 1], 'it was never opened');
  for (const prefix of [[], ['shop']]) {
    const ran = await quorate(['list', ...prefix, ...args, '--json']);
    assert.deepEqual([ran.code, problemOf(ran).code], [2, 'cli/usage']);
  }
});

test('with a genesis file each version of a record is proven, and that there were no others', async (t) => {
  const { args } = await chain(t);
  const note = await quorate(['history', 'note', ...args]);
  assert.match(note.out, /^2 +1 +.* put b$/m, note.err);
  assert.match(note.out, /^1 +1 +.* put a$/m);
  assert.match(note.out, /^There were no versions before these: that is proven\.$/m);
  assert.match(note.out, /^certificate +3 of 4 validators signed/m);
  const newest = jsonOf(await quorate(['history', 'note', ...args, '--limit', '1', '--json']));
  const [version] = newest['versions'] as { version: number; change: string; value: string }[];
  assert.deepEqual([version?.version, version?.change, version?.value, newest['older']], [2, 'put', '62', 1]);
  const limited = await quorate(['history', 'note', ...args, '--limit', '1']);
  assert.match(limited.out, /^There were 1 before these;/m);
  const never = await quorate(['history', 'never', ...args]);
  assert.deepEqual([never.code, /^never has no version\.$/m.test(never.out)], [5, true]);
  for (const other of [['--oldest'], ['--cursor', 'ab'.repeat(20)]]) {
    assert.equal((await quorate(['history', 'note', ...args, ...other])).code, 2);
  }
});

test('with a genesis file a block, what stands in it, and what became of a transaction are proven', async (t) => {
  const { args, genesis, file } = await chain(t);
  const { transaction, inclusion } = proofOf(genesis, 1);
  const block = await quorate(['block', '1', ...args]);
  assert.equal(block.code, 0, block.err);
  assert.match(block.out, new RegExp(`^hash +${inclusion.blockHash}$`, 'm'));
  assert.match(block.out, /^certificate +3 of 4 validators signed/m);
  const full = jsonOf(await quorate(['block', '--full', ...args, '--json']));
  assert.equal((full['transactions'] as unknown[]).length, 10);
  assert.deepEqual(
    (full['steps'] as { check: string }[]).map(({ check }) => check),
    ['transaction', 'receipt', 'headers', 'certificate'],
  );
  const other = await quorate(['block', '2', ...args, '--json']);
  assert.equal(problemOf(other).code, 'api/answer', 'it is block 1 that the node answers with');
  const called = await quorate(['block', 'ab'.repeat(32), ...args, '--json']);
  assert.equal(problemOf(called).code, 'proof/headers', 'whatever the node calls it');
  const proof = file('block.json', '');
  assert.equal((await quorate(['block', inclusion.blockHash, ...args, '--proof', proof])).code, 0);
  const kept = jsonOf(await quorate(['verify', proof, ...args.slice(2), '--json']));
  assert.deepEqual([kept['height'], kept['hash']], [1, inclusion.blockHash]);
  const first = await quorate(['block', '0', ...args]);
  assert.match(first.out, /^headers +block 0 has hash .*, as the genesis file says$/m);
  const none = await quorate(['block', '0', ...args, '--proof', proof, '--json']);
  assert.deepEqual([none.code, problemOf(none).code], [2, 'cli/usage']);

  const status = await quorate(['tx', 'status', transaction.hash, ...args]);
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /^became +applied$/m);
  assert.match(status.out, /^certificate +3 of 4 validators signed/m);
  const failed = proofOf(genesis, 1, 3).transaction.hash;
  const refused = await quorate(['tx', 'status', failed, ...args, '--json']);
  assert.deepEqual([refused.code, jsonOf(refused)['status']], [6, 'failed']);
});

test('with a genesis file evidence is what its signatures show', async (t) => {
  const { args } = await chain(t);
  const shown = await quorate(['evidence', ...args]);
  assert.equal(shown.code, 1, 'one is made up');
  assert.match(shown.out, /^0 +commit .* yes +one key signed a commit for each of two blocks at height 7/m);
  assert.match(shown.out, /^1 +commit .* no +/m);
  assert.match(shown.out, /^2 +view-change .* unknown +this program cannot check that kind$/m);
  const { evidence } = jsonOf(await quorate(['evidence', ...args, '--json']));
  assert.deepEqual(
    (evidence as { proven: boolean | null }[]).map(({ proven }) => proven),
    [true, false, null],
  );
});

test('what was proven is kept in a file, and the file says the same without any node', async (t) => {
  const { args, file, genesis } = await chain(t);
  const trusted = ['--genesis', file('trusted.json', formatGenesis(genesis))];
  for (const [asked, code, proves, name, says] of [
    [['account', 'alice'], 0, 'account', encodeAddress(alice), /^balance +945$/m],
    [['get', 'note'], 0, 'record', 'note', /^value +b$/m],
    [['get', 'gone'], 5, 'record', 'gone', /^At that block there is no record "gone"\.$/m],
    [['reservation', 'alice:9:0'], 0, 'reservation', undefined, /^status +held$/m],
    [['reservation', 'alice:9:1'], 5, 'reservation', undefined, /^At that block there is no reservation /m],
    [['namespace', 'show', 'shop'], 0, 'namespace', 'shop', /^mode +open$/m],
    [['list', 'shop/p', '--limit', '1'], 0, 'records', 'shop', /^shop\/price +1 +\S+ +9$/m],
    [['history', 'note', '--limit', '1'], 0, 'history', 'note', /^There were 1 before these\.$/m],
    [['history', 'never'], 5, 'history', 'never', /^There were no versions before these: that is proven\.$/m],
  ] as const) {
    const proof = file('proof.json', '');
    const live = await quorate([...asked, ...args, '--proof', proof, '--json']);
    assert.equal(live.code, code, live.err);
    const shown = await quorate(['verify', proof, ...trusted]);
    assert.equal(shown.code, 0, shown.err);
    assert.match(shown.out, says);
    assert.match(shown.out, /^as of +block 1, /m);
    assert.match(shown.out, /^certificate +3 of 4 validators signed/m);
    const { found, ...about } = jsonOf(await quorate(['verify', proof, ...trusted, '--json']));
    assert.deepEqual([about['proves'], about['height'], about['chainId']], [proves, 1, genesis.chainId]);
    if (name !== undefined) assert.equal(about['name'], name);
    // What is proven of a list is all of it, and the command shows a part.
    const same = live.out !== '' && proves !== 'records' ? { ...(found as object) } : undefined;
    if (same !== undefined) assert.deepEqual({ ...jsonOf(live), ...same }, jsonOf(live));
    else if (proves !== 'records') assert.equal(found, null);
  }
});

test('no proof is written of what was not checked, or where nothing can be written', async (t) => {
  const lying = await chain(t, (answer) => ({ ...answer, proof: '00' }));
  const kept = lying.file('kept.json', 'as it was');
  for (const asked of [
    ['get', 'note'],
    ['account', 'alice'],
    ['list', 'shop/'],
    ['history', 'note'],
    ['namespace', 'show', 'shop'],
    ['reservation', 'alice:9:0'],
  ]) {
    const ran = await quorate([...asked, ...lying.args, '--proof', kept, '--json']);
    assert.equal(ran.code, 1);
    assert.equal(readFileSync(kept, 'utf8'), 'as it was');
    const believing = await quorate([...asked, ...lying.args.slice(0, 2), '--proof', kept, '--json']);
    assert.deepEqual([believing.code, problemOf(believing).code], [2, 'cli/usage']);
    assert.match(problemOf(believing).remedy, /^Give --genesis too\./);
    assert.equal(readFileSync(kept, 'utf8'), 'as it was');
  }
  const { args } = await chain(t);
  const nowhere = join(temporaryDirectory(t), 'none', 'proof.json');
  const ran = await quorate(['get', 'note', ...args, '--proof', nowhere, '--json']);
  assert.deepEqual([ran.code, problemOf(ran).code, ran.out], [1, 'cli/file', '']);
  assert.match(problemOf(ran).remedy, /^Check --proof\./);
});

test('what a node cannot prove is not shown', async (t) => {
  const lies: readonly (readonly [string, (answer: object) => object])[] = [
    ['proof/state', (answer) => ({ ...answer, entry: null })],
    ['proof/state', (answer) => ({ ...answer, entry: '0000000000ffffff00000000000000' })],
    ['proof/state', (answer) => ({ ...answer, proof: '00' })],
    ['proof/headers', (answer) => ({ ...answer, descendants: [] })],
    ['api/answer', (answer) => ({ ...answer, proof: 7 })],
  ];
  for (const [code, lie] of lies) {
    const { args } = await chain(t, lie);
    for (const asked of [
      ['account', 'alice'],
      ['get', 'note'],
      ['reservation', 'alice:9:0'],
      ['namespace', 'show', 'shop'],
      ['list', 'shop/'],
      ['history', 'note'],
    ]) {
      const ran = await quorate([...asked, ...args, '--json']);
      assert.equal(ran.out, '', code);
      assert.ok(ran.code !== 0);
      assert.match(
        problemOf(ran).code,
        code === 'proof/headers' ? /^proof\/(headers|certificate)$/ : new RegExp(code),
      );
    }
  }
});

test('another genesis file proves nothing, and the file decides whether development names count', async (t) => {
  const { args, file } = await chain(t);
  const other = file('other.json', formatGenesis(genesisOf('pbft', 'another')));
  const ran = await quorate(['account', 'alice', ...args.slice(0, 2), '--genesis', other, '--json']);
  assert.match(problemOf(ran).code, /^proof\//);
  const real = unwrap(
    createGenesis({ ...genesisOf('pbft'), development: false, accounts: [{ publicKey: own, balance: 1n }] }),
  );
  const realFile = file('real.json', formatGenesis(real));
  const named = await quorate(['account', 'alice', ...args.slice(0, 2), '--genesis', realFile, '--json']);
  assert.equal(problemOf(named).code, 'cli/development-key');
  const both = await quorate(['account', 'alice', ...args, '--consistency', 'stale', '--json']);
  assert.equal(both.code, 2, 'a proof is of the final state');
  const none = await quorate(['account', 'carol', ...args, '--json']);
  assert.equal(problemOf(none).code, 'api/no-such-block');
});
