import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { utf8 } from '../../src/base/bytes.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { verifySignature } from '../../src/crypto/verify.ts';
import type { Operation } from '../../src/ledger/operation.ts';
import { transactionClaims } from '../../src/ledger/transaction.ts';
import { chainId, problemReply } from '../client/fake-api.ts';
import { alice, bob, fakeChain, parametersAnswer } from './chain.ts';
import { jsonOf, launcher, problemOf, quorate, temporaryDirectory } from './quorate.ts';

const recipientOf = ([first]: readonly Operation[]): string | undefined =>
  first?.type === 'transfer' ? first.to : undefined;

test('a transfer by development names: the node’s next nonce, fee 1, and an expiry ahead', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const ran = await quorate([
    'tx',
    'transfer',
    'bob',
    '1_000',
    '--from',
    'alice',
    '--memo',
    'hi',
    '--node',
    url,
  ]);
  assert.equal(ran.code, 0, ran.err);
  const [made] = submitted;
  assert.ok(made);
  assert.match(ran.out, new RegExp(`^${made.hash} accepted`));
  assert.equal(made.sender, alice.publicKey);
  assert.equal(made.chainId, chainId);
  assert.equal(made.nonce, 5);
  assert.equal(made.fee, 1n);
  assert.equal(made.expiryHeight, 10_040);
  assert.deepEqual(made.operations, [{ type: 'transfer', to: bob.publicKey, amount: 1_000n, memo: 'hi' }]);
  assert.deepEqual(made.signers, [alice.publicKey]);
  for (const claim of transactionClaims(made)) assert.ok(verifySignature(claim, true));
});

test('a fee that nobody gave is what the chain asks for, for each operation; too much is not believed', async (t) => {
  const paidFor = async (
    scheduled: readonly object[],
    feePerOperation: string,
    ...fee: readonly string[]
  ) => {
    const answers = { '/v1/chain/parameters': { ...parametersAnswer(), feePerOperation, scheduled } };
    const { url, submitted } = await fakeChain(t, { answers });
    const file = join(temporaryDirectory(t), 'two.json');
    const put = { type: 'put', key: 'k', text: 'v' };
    writeFileSync(file, JSON.stringify({ operations: [put, put] }));
    const where = ['--from', 'alice', '--node', url, '--json', ...fee];
    for (const made of [
      ['transfer', 'bob', '1'],
      ['send', file],
    ]) {
      const ran = await quorate(['tx', ...made, ...where]);
      assert.equal(ran.code, 0, ran.err);
    }
    return submitted.map((made) => made.fee);
  };
  assert.deepEqual(await paidFor([], '25'), [25n, 50n]);
  assert.deepEqual(await paidFor([], '25', '--fee', '3'), [3n, 3n]);
  assert.deepEqual(await paidFor([], '1000'), [1_000n, 2_000n]);
  assert.deepEqual(await paidFor([], '1001'), [1n, 1n]);
  const coming = { type: 'fee-floor', feePerOperation: '30', height: 60 };
  assert.deepEqual(await paidFor([{ height: 60, change: coming }], '25'), [30n, 60n]);
});

test('nonce, fee and expiry can be given, and recipients as addresses or hex', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const terms = ['--from', 'alice', '--nonce', '9', '--fee', '25', '--node', url, '--json'];
  await quorate(['tx', 'transfer', encodeAddress(bob.publicKey), '1', '--expiry', '500', ...terms]);
  await quorate(['tx', 'transfer', bob.publicKey, '1', '--expiry', '+60', ...terms]);
  assert.deepEqual(
    submitted.map(({ nonce, fee, expiryHeight }) => [nonce, fee, expiryHeight]),
    [
      [9, 25n, 500],
      [9, 25n, 100],
    ],
  );
  for (const { operations } of submitted) assert.equal(recipientOf(operations), bob.publicKey);
});

test('a record’s value comes from the command line, in hex, from a file or from standard input', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const file = join(temporaryDirectory(t), 'value');
  writeFileSync(file, 'from a file');
  const common = ['--from', 'alice', '--node', url];
  await quorate(['tx', 'put', 'k', 'text', ...common]);
  await quorate(['tx', 'put', 'k', '--hex', '00ff', ...common]);
  await quorate(['tx', 'put', 'k', '--file', file, ...common]);
  await quorate(['tx', 'put', 'k', '--file', '-', ...common], { input: 'piped' });
  await quorate(['tx', 'put', 'k', '', ...common]);
  assert.deepEqual(
    submitted.map(({ operations: [first] }) => (first?.type === 'put' ? first.value : undefined)),
    [utf8('text'), new Uint8Array([0, 255]), utf8('from a file'), utf8('piped'), new Uint8Array()],
  );
  const none = await quorate(['tx', 'put', 'k', ...common]);
  assert.equal(none.code, 2);
  const both = await quorate(['tx', 'put', 'k', 'v', '--hex', '00', ...common]);
  assert.equal(both.code, 2);
  assert.equal(submitted.length, 5);
});

test('delete', async (t) => {
  const { url, submitted } = await fakeChain(t);
  assert.equal((await quorate(['tx', 'delete', 'k', '--from', 'alice', '--node', url])).code, 0);
  assert.deepEqual(submitted[0]?.operations, [{ type: 'delete', key: 'k' }]);
});

test('--wait shows what came of it: applied is 0, failed is 6, not in time is 4', async (t) => {
  const args = ['tx', 'delete', 'k', '--from', 'alice', '--json', '--wait', '0.2', '--node'];
  const applied = await quorate([...args, (await fakeChain(t)).url]);
  assert.equal(applied.code, 0, applied.err);
  assert.equal(jsonOf(applied)['status'], 'final');
  assert.equal(jsonOf(applied)['height'], 41);

  const failed = await quorate([...args, (await fakeChain(t, { outcome: 'failed' })).url]);
  assert.equal(failed.code, 6, failed.err);
  assert.deepEqual((jsonOf(failed)['receipt'] as { code: string }).code, 'transaction/insufficient-balance');

  const forPeople = await quorate([
    ...args.filter((word) => word !== '--json'),
    (await fakeChain(t, { outcome: 'failed' })).url,
  ]);
  assert.match(forPeople.out, /failed .*\n +what to do: Move less, or wait/);

  const late = await quorate([...args, (await fakeChain(t, { outcome: 'pending' })).url]);
  assert.equal(late.code, 4);
  assert.equal(problemOf(late).code, 'api/not-final');
});

test('who does not know what becomes of a transaction is not told to sign another one', async (t) => {
  const args = [
    'tx',
    'delete',
    'k',
    '--from',
    'alice',
    '--json',
    '--timeout',
    '0',
    '--wait',
    '0.2',
    '--node',
  ];
  const proxy = { status: 504, headers: { 'content-type': 'text/html' }, body: '<html>' };
  for (const chain of [
    await fakeChain(t, { submit: () => proxy }),
    await fakeChain(t, { outcome: 'pending' }),
  ]) {
    const ran = await quorate([...args, chain.url]);
    const hash = chain.submitted[0]?.hash;
    assert.equal(ran.code, 4, 'no script takes it for what can be done again');
    assert.match(
      problemOf(ran).remedy,
      new RegExp(`"quorate tx status ${hash}".*would sign another transaction`),
    );
  }
});

test('standard input is read at the pace at which it comes, and no further than a record goes', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const args = ['tx', 'put', 'k', '--file', '-', '--from', 'alice', '--node', url];
  const slow = spawn(
    'sh',
    ['-c', '(sleep 0.3; printf one; sleep 0.3; printf two) | "$0" "$@"', launcher, ...args],
    { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' } },
  );
  const code = await new Promise((resolve) => slow.once('close', resolve));
  assert.equal(code, 0);
  assert.deepEqual(submitted[0]?.operations, [{ type: 'put', key: 'k', value: utf8('onetwo') }]);
  const long = await quorate([...args, '--json'], { input: 'x'.repeat(5_000) });
  assert.equal(problemOf(long).code, 'cli/file');
  assert.match(problemOf(long).message, /more than 4096 bytes/);
});

test('--wait takes the next word only when that is a number of seconds', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const common = ['--from', 'alice', '--node', url, '--json'];
  const ran = await quorate(['tx', 'transfer', ...common, '--wait', 'bob', '7']);
  assert.equal(ran.code, 0, ran.err);
  assert.equal(jsonOf(ran)['status'], 'final');
  assert.equal(recipientOf(submitted[0]?.operations ?? []), bob.publicKey);
  const timed = await quorate(['tx', 'transfer', ...common, '--wait', '5', 'bob', '7']);
  assert.equal(timed.code, 0, timed.err);
});

test('who stops waiting is told how to ask later', async (t) => {
  const { url, seen } = await fakeChain(t, { outcome: 'pending' });
  const ran = await quorate(
    ['tx', 'delete', 'k', '--from', 'alice', '--node', url, '--json', '--wait', '60'],
    {
      interruptWhen: () => seen.some(({ url: path }) => path.startsWith('/v1/transactions/')),
    },
  );
  assert.equal(ran.code, 4);
  assert.match(problemOf(ran).remedy, /quorate tx status [0-9a-f]{64}/);
});

test('who stops before the node answered is told the hash, too', async (t) => {
  const { url, seen } = await fakeChain(t, { submit: () => ({ body: null }) });
  const ran = await quorate(['tx', 'delete', 'k', '--from', 'alice', '--node', url, '--json'], {
    interruptWhen: () => seen.some(({ method }) => method === 'POST'),
  });
  assert.equal(ran.code, 4);
  assert.match(problemOf(ran).remedy, /quorate tx status [0-9a-f]{64}/);
});

test('a word that is not UTF-8 is refused, because it would name something else', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const ran = await quorate(['tx', 'put', 'caf\ufffd', 'v', '--from', 'alice', '--node', url, '--json']);
  assert.equal(ran.code, 2);
  assert.match(problemOf(ran).message, /argument 3 is not UTF-8/);
  assert.equal(submitted.length, 0);
});

test('status says what became of one: pending and for what it waits, final, gone, or unknown here', async (t) => {
  const hash = 'ab'.repeat(32);
  const ask = async (outcome: 'applied' | 'failed' | 'pending' | 'gone' | 'unknown') =>
    quorate(['tx', 'status', hash, '--node', (await fakeChain(t, { outcome })).url]);
  const pending = await ask('pending');
  assert.equal(pending.code, 0, pending.err);
  assert.match(pending.out, /is pending: it waits for nonce 3 of qr1.*; it is gone when block 40 is final/);
  assert.match((await ask('applied')).out, /is final at height 41 \(pbft\): applied/);
  assert.equal((await ask('failed')).code, 6);
  const gone = await ask('gone');
  assert.equal(gone.code, 1);
  assert.match(gone.err, /mempool\/superseded/);
  const unknown = await ask('unknown');
  assert.equal(unknown.code, 5);
  assert.match(unknown.out, /may still become final; the same bytes may be submitted again/);
  const bad = await quorate(['tx', 'status', '../status']);
  assert.equal(bad.code, 2, bad.err);
});

test('what the node answers is shown with the engine and the chain that it is on', async (t) => {
  const { url } = await fakeChain(t);
  const args = ['tx', 'delete', 'k', '--from', 'alice', '--node', url];
  for (const wait of [[], ['--wait', '5']]) {
    const shown = jsonOf(await quorate([...args, ...wait, '--json']));
    assert.equal(shown['engine'], 'pbft');
    assert.equal(shown['chainId'], chainId);
  }
  assert.match((await quorate([...args, '--wait', '5'])).out, /is final at height 41 \(pbft\): applied/);
});

test('a refusal of the node is shown with its code and remedy, and ends with 1', async (t) => {
  const { url } = await fakeChain(t, { submit: () => problemReply(409, 'mempool/nonce-used') });
  const ran = await quorate(['tx', 'delete', 'k', '--from', 'alice', '--node', url]);
  assert.equal(ran.code, 1);
  assert.match(
    ran.err,
    /error detail of mempool\/nonce-used\n +code +mempool\/nonce-used\n +what to do +remedy of/,
  );
});

test('development names are refused on a chain that is not for development, before anything is signed', async (t) => {
  const { url, submitted } = await fakeChain(t, { development: false });
  const keys = temporaryDirectory(t);
  await quorate(['keys', 'new', 'dora', '--no-password', '--keys', keys]);
  for (const args of [
    ['tx', 'delete', 'k', '--from', 'alice'],
    ['tx', 'transfer', 'bob', '1', '--from', 'dora'],
    ['account', 'alice'],
  ]) {
    const ran = await quorate([...args, '--keys', keys, '--node', url, '--json']);
    assert.equal(ran.code, 1);
    assert.equal(problemOf(ran).code, 'cli/development-key', args.join(' '));
  }
  assert.equal(submitted.length, 0);
});

test('--chain-id refuses to sign for another chain', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const args = ['tx', 'delete', 'k', '--from', 'alice', '--node', url, '--json', '--chain-id'];
  assert.equal((await quorate([...args, chainId])).code, 0);
  const other = await quorate([...args, 'cd'.repeat(32)]);
  assert.equal(problemOf(other).code, 'cli/other-chain');
  assert.equal(submitted.length, 1);
});

test('a stored key signs with its password; a wrong or missing one is a clear problem', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const keys = temporaryDirectory(t);
  const right = { QUORATE_PASSWORD: 'right', QUORATE_KEYS: keys };
  const { publicKey, file } = jsonOf(await quorate(['keys', 'new', 'dora', '--json'], { env: right }));
  const args = ['tx', 'delete', 'k', '--node', url, '--json', '--from'];
  assert.equal((await quorate([...args, 'dora'], { env: right })).code, 0);
  assert.equal((await quorate([...args, String(file)], { env: right })).code, 0);
  assert.deepEqual(
    submitted.map(({ sender }) => sender),
    [publicKey, publicKey],
  );
  const wrong = await quorate([...args, 'dora'], { env: { ...right, QUORATE_PASSWORD: 'wrong' } });
  assert.equal(wrong.code, 1);
  assert.equal(problemOf(wrong).code, 'keys/wrong-password');
  const none = await quorate([...args, 'dora'], { env: { QUORATE_KEYS: keys } });
  assert.equal(problemOf(none).code, 'cli/password-missing');
  for (const name of ['nobody', join(keys, 'nobody.json')]) {
    const missing = await quorate([...args, name], { env: right });
    assert.equal(missing.code, 1);
    assert.equal(problemOf(missing).code, 'cli/key-missing');
  }
  assert.equal(submitted.length, 2);
});

test('a recipient with a typing error, or nobody’s name, is refused', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const address = encodeAddress(bob.publicKey);
  const typo = `${address.slice(0, 20)}${address[20] === 'q' ? 'p' : 'q'}${address.slice(21)}`;
  const args = ['--from', 'alice', '--node', url, '--json'];
  const wrong = await quorate(['tx', 'transfer', typo, '1', ...args]);
  assert.equal(problemOf(wrong).code, 'keys/address');
  const nobody = await quorate(['tx', 'transfer', 'bobby', '1', ...args]);
  assert.equal(problemOf(nobody).code, 'cli/account-unknown');
  assert.equal(submitted.length, 0);
});

test('limits of a transaction are told before anything is sent', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const ran = await quorate(['tx', 'put', 'k'.repeat(129), 'v', '--from', 'alice', '--node', url, '--json']);
  assert.equal(problemOf(ran).code, 'transaction/malformed');
  assert.equal(submitted.length, 0);
});

test('one transaction of several operations comes from a file, with conditions and a reference', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const file = join(temporaryDirectory(t), 'order.json');
  const content = {
    conditions: [{ type: 'record-version', key: 'price', version: 1 }],
    operations: [
      { type: 'transfer', to: encodeAddress(bob.publicKey), amount: '17' },
      { type: 'put', key: 'order/7', text: 'paid' },
    ],
  };
  writeFileSync(file, JSON.stringify(content));
  const more = [
    '--if',
    'absent:a=b',
    '--if',
    'balance:bob=5',
    '--if',
    'height:900',
    '--if',
    'time:2027-01-01T12:00+01:00',
    '--if',
    'version:a=b=2',
  ];
  const common = ['--from', 'alice', '--node', url, '--json'];
  const ran = await quorate(['tx', 'send', file, ...common, ...more, '--reference', 'order 7']);
  assert.equal(ran.code, 0, ran.err);
  const [made] = submitted;
  assert.deepEqual(made?.operations, [
    { type: 'transfer', to: bob.publicKey, amount: 17n, memo: '' },
    { type: 'put', key: 'order/7', value: utf8('paid') },
  ]);
  assert.deepEqual(made.conditions, [
    { type: 'record-version', key: 'price', version: 1 },
    { type: 'record-absent', key: 'a=b' },
    { type: 'balance-at-least', account: bob.publicKey, amount: 5n },
    { type: 'height-at-most', height: 900 },
    { type: 'time-at-most', time: Date.UTC(2027, 0, 1, 11) },
    { type: 'record-version', key: 'a=b', version: 2 },
  ]);
  assert.deepEqual(made.reference, utf8('order 7'));
});

test('content that is wrong is refused before anything is signed, and says where', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const args = ['tx', 'send', '-', '--from', 'alice', '--node', url, '--json'];
  const cases: readonly [string, string][] = [
    ['{"operations": [], "operations": []}', 'cli/file'],
    ['not json', 'cli/file'],
    ['\ufeff{"operations": [{"type": "delete", "key": "a"}]}', 'cli/file'],
    ['{"operations": [{"type": "delete", "key": "caf\ufffd"}]}', 'cli/file'],
    ['{"operations": [{"type": "put", "key": "a", "value": "zz"}]}', 'transaction/content'],
    ['{"operations": [{"type": "delete", "key": "a//b"}]}', 'transaction/record-key'],
  ];
  for (const [input, code] of cases) {
    assert.equal(problemOf(await quorate(args, { input })).code, code, input);
  }
  const missing = problemOf(await quorate(['tx', 'send', '/nonexistent.json', ...args.slice(3)]));
  assert.equal(missing.code, 'cli/file');
  assert.doesNotMatch(missing.remedy, /--file/, 'there is no such option here');
  for (const condition of [
    '',
    'absent',
    'absent:',
    'version:k',
    'version:k=0',
    'hash:k=ab',
    'height:x',
    'no:k',
  ]) {
    const ran = await quorate(['tx', 'put', 'k', 'v', '--if', condition, '--from', 'alice', '--node', url]);
    assert.equal(ran.code, 2, condition);
  }
  const long = await quorate(['tx', 'put', 'k', 'v', '--reference', 'x'.repeat(33), ...args.slice(3)]);
  assert.equal(long.code, 2);
  assert.equal(submitted.length, 0);
});

test('a record is given, keys are set, and others sign too or for another account', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const common = ['--node', url, '--json'];
  await quorate(['tx', 'give', 'deed', 'bob', '--from', 'alice', ...common]);
  await quorate([
    'tx',
    'set-keys',
    '2',
    'bob',
    'alice',
    'bob',
    '--from',
    'alice',
    '--cosign',
    'bob',
    ...common,
  ]);
  await quorate([
    'tx',
    'put',
    'k',
    'v',
    '--from',
    'bob',
    '--sender',
    'alice',
    '--cosign',
    'carol',
    ...common,
  ]);
  const [given, set, put] = submitted;
  assert.deepEqual(given?.operations, [{ type: 'give', key: 'deed', to: bob.publicKey }]);
  const keys = [alice.publicKey, bob.publicKey].toSorted();
  assert.deepEqual(set?.operations, [{ type: 'set-keys', keys, threshold: 2, force: false }]);
  assert.deepEqual(set.signers, keys);
  assert.equal(put?.sender, alice.publicKey);
  assert.equal(put.signers.length, 2);
  assert.ok(!put.signers.includes(alice.publicKey));
  for (const made of submitted) {
    for (const claim of transactionClaims(made)) assert.ok(verifySignature(claim, true));
  }
});

test('coins are reserved, posted and voided; what is to be given on is the name of the reservation', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const from = (who: string): string[] => ['--from', who, '--node', url];
  const name = `${encodeAddress(alice.publicKey)}:5:0`;
  const ahead = ['tx', 'reserve', 'bob', '1_500', '--until', '+100', '--memo', 'order 7', ...from('alice')];
  const waited = await quorate([...ahead, '--wait']);
  assert.match(waited.out, new RegExp(`applied\\.\\nreservation ${name}\\n$`));
  assert.match((await quorate(ahead)).out, new RegExp(`accepted[^]*\\nreservation ${name}\\n$`));
  const json = jsonOf(await quorate([...ahead, '--json'])) as { reservations: string[] };
  assert.deepEqual(json.reservations, [name]);
  await quorate(['tx', 'reserve', 'bob', '1', '--until', '900', ...from('alice')]);
  await quorate(['tx', 'post', 'alice:3:0', ...from('bob')]);
  await quorate(['tx', 'post', `${encodeAddress(alice.publicKey)}:3:1`, '700', ...from('bob')]);
  await quorate(['tx', 'void', `${alice.publicKey}:3:2`, ...from('bob')]);
  const reservation = (operation: number) => ({ sender: alice.publicKey, nonce: 3, operation });
  const reserve = { type: 'reserve', to: bob.publicKey };
  assert.deepEqual(
    submitted.slice(2).map(({ operations }) => operations[0]),
    [
      { ...reserve, amount: 1_500n, expiryHeight: 140, memo: 'order 7' },
      { ...reserve, amount: 1n, expiryHeight: 900, memo: '' },
      { type: 'post', reservation: reservation(0), amount: 1_500n },
      { type: 'post', reservation: reservation(1), amount: 700n },
      { type: 'void', reservation: reservation(2) },
    ],
  );
  const before = submitted.length;
  for (const [wrong, code] of [
    [['tx', 'reserve', 'bob', '1'], 2],
    [['tx', 'reserve', 'bob', '1', '--until', 'later'], 2],
    // What is final already could only fail, and cost its fee.
    [['tx', 'reserve', 'bob', '1', '--until', '40'], 2],
    [['tx', 'reserve', 'bob', '1', '--until', '+0'], 2],
    [['tx', 'put', 'k', 'v', '--expiry', '40'], 2],
    [['chain', 'propose', 'fee-floor', '1', '--at', '7'], 2],
    [['chain', 'propose', 'fee-floor', '1', '--until', '+0'], 2],
    [['tx', 'post', 'alice:3'], 1],
    [['tx', 'post', 'alice:9:9'], 5],
    [['tx', 'void', 'nobody:3:0'], 1],
  ] as const) {
    const ran = await quorate([...wrong, ...from('bob')]);
    assert.equal(ran.code, code, `${wrong.join(' ')}: ${ran.err}`);
  }
  assert.equal(submitted.length, before, 'nothing was sent for what is wrong');
});

test('a protocol version that some validators do not know is proposed with a warning', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const args = ['chain', 'propose', 'version', '--at', '+9', '--from', 'alice', '--node', url];
  const known = await quorate([...args, '2']);
  assert.equal(known.err, '');
  const unknown = await quorate([...args, '3']);
  assert.match(unknown.err, /Not known to know version 3: validator-0, validator-1, validator-2\./);
  assert.equal(submitted.length, 2, 'the others may learn it until then');
});

test('a reservation is shown with what became of it, and an account with what it holds', async (t) => {
  const { url } = await fakeChain(t);
  const shown = await quorate(['reservation', 'alice:3:0', '--node', url]);
  assert.match(shown.out, /amount\s+1,500\n[^]*until\s+height 900\n[^]*posted at height 30: 1,200 taken/);
  assert.equal((await quorate(['reservation', 'alice:4:0', '--node', url])).code, 5);
  assert.match(
    (await quorate(['account', 'alice', '--node', url])).out,
    /balance\s+1,000,000\nheld\s+2,500\n/,
  );
});

test('a namespace is opened, and only what is named of it is set', async (t) => {
  const { url, submitted } = await fakeChain(t);
  const common = ['--from', 'alice', '--node', url, '--json'];
  await quorate(['namespace', 'open', 'shop', '--writer', 'bob', '--writer', 'alice', ...common]);
  await quorate(['namespace', 'open', 'park', ...common]);
  await quorate(['namespace', 'set', 'shop', '--owner', 'bob', ...common]);
  await quorate(['namespace', 'set', 'shop', '--mode', 'append-only', ...common]);
  const writers = [alice.publicKey, bob.publicKey].toSorted();
  const set = { type: 'set-namespace', name: 'shop', owner: undefined, mode: undefined, writers: undefined };
  assert.deepEqual(
    submitted.map(({ operations }) => operations),
    [
      [{ type: 'open-namespace', name: 'shop', mode: 'writers', writers }],
      [{ type: 'open-namespace', name: 'park', mode: 'open', writers: [] }],
      [{ ...set, owner: bob.publicKey }],
      [{ ...set, mode: 'append-only' }],
    ],
  );
  const nothing = await quorate(['namespace', 'set', 'shop', ...common]);
  assert.equal(nothing.code, 2);
  const wrong = await quorate(['namespace', 'open', 'a/b', ...common]);
  assert.equal(problemOf(wrong).code, 'transaction/namespace-name');
  const mode = await quorate(['namespace', 'open', 'shop', '--mode', 'open', '--writer', 'bob', ...common]);
  assert.equal(problemOf(mode).code, 'transaction/namespace-writers');
  assert.equal(submitted.length, 4);
});
