import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAddress } from '../../src/crypto/address.ts';
import { fakeApi, origin, status } from '../client/fake-api.ts';
import { alice, bob, fakeChain } from './chain.ts';
import { jsonOf, problemOf, quorate } from './quorate.ts';

test('with --json a command prints the API’s answer as it is', async (t) => {
  const { url } = await fakeChain(t);
  for (const [args, field] of [
    [['status'], 'finalHeight'],
    [['why'], 'why'],
    [['validators'], 'validators'],
    [['evidence'], 'evidence'],
    [['account', 'alice'], 'balance'],
    [['get', 'greeting'], 'value'],
    [['list', 'shop/'], 'records'],
    [['namespace', 'show', 'shop'], 'writers'],
    [['block'], 'header'],
  ] as const) {
    const ran = await quorate([...args, '--node', url, '--json']);
    assert.equal(ran.code, 0, ran.err);
    assert.ok(field in jsonOf(ran), args.join(' '));
    assert.equal(jsonOf(ran)['chainId'], origin.chainId, args.join(' '));
    assert.equal(ran.err, '');
  }
  assert.deepEqual(jsonOf(await quorate(['status', '--node', url, '--json'])), status);
});

test('for people: status, account, record, block and validators at a glance, without colours in a pipe', async (t) => {
  const { url } = await fakeChain(t);
  const say = async (...args: string[]): Promise<string> => (await quorate([...args, '--node', url])).out;
  const shown = await say('status');
  assert.match(shown, /^chain +testnet \(development\)$/m);
  assert.match(shown, /^final block +40$/m);
  assert.match(shown, /^ready +yes$/m);
  const account = await say('account', 'alice');
  assert.match(account, new RegExp(`^address +${encodeAddress(alice.publicKey)}$`, 'm'));
  assert.match(account, /^balance +1,000,000$/m);
  assert.match(account, /^next nonce +5 \(3 in the final state\)$/m);
  assert.match(await say('get', 'greeting'), /^value +hello$/m);
  assert.match(await say('block', '12'), /^final +commit certificate of view 0, 3 signatures/m);
  assert.match(await say('validators'), /^1 +validator-1 +qr1\S+ +none$/m);
  assert.match(await say('evidence'), /no evidence/);
  assert.match(await say('evidence', '--offset', '5'), /none from number 5 on/);
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(shown + account, /\u001b/);
});

test('control characters from a node never reach the terminal', async (t) => {
  const { url } = await fakeChain(t);
  const { out } = await quorate(['why', '--node', url]);
  assert.equal(out, 'Nothing waits.\u{fffd}[31m\n');
  const why = '\u009b31m\u202ereturned';
  const answers = { '/v1/why': { ...origin, finalHeight: 40, why } };
  const odd = await fakeChain(t, { answers });
  const json = await quorate(['why', '--node', odd.url, '--json']);
  assert.match(json.out, /"why":"\\u009b31m\\u202ereturned"/);
  assert.equal(jsonOf(json)['why'], why);
});

test('the next page is not named in words that a shell obeys', async (t) => {
  const page = { ...origin, height: 40, completeFrom: 1, next: '; rm -rf ~' };
  const address = encodeAddress(alice.publicKey);
  const path = `/v1/accounts/${address}/transactions`;
  const { url } = await fakeChain(t, { answers: { [path]: { ...page, address, transactions: [] } } });
  const ran = await quorate(['account', 'history', 'alice', '--node', url]);
  assert.equal(ran.code, 1);
  assert.match(ran.err, /next is no name/);
});

test('a certificate of an engine that is not known yet is called so', async (t) => {
  const { url } = await fakeChain(t);
  const block = (await (await fetch(`${url}/v1/blocks/12`)).json()) as { certificate: object };
  const certificate = { ...block.certificate, engine: 'newer' };
  const newer = await fakeChain(t, { answers: { '/v1/blocks/12': { ...block, certificate } } });
  const { out } = await quorate(['block', '12', '--node', newer.url]);
  assert.match(out, /^final +by a certificate that this program does not know$/m);
});

test('a record that does not exist ends with 5; --raw writes the bytes alone', async (t) => {
  const { url } = await fakeChain(t);
  const missing = await quorate(['get', 'nothing', '--node', url, '--json']);
  assert.equal(missing.code, 5);
  assert.equal(problemOf(missing).code, 'api/no-such-record');
  assert.equal((await quorate(['get', 'greeting', '--raw', '--node', url])).out, 'hello');
});

test('something else than a Quorate node at the address is a problem that says so', async (t) => {
  const { url } = await fakeApi(t, () => ({ body: '<html>' }));
  const ran = await quorate(['status', '--node', url, '--json']);
  assert.equal(ran.code, 1);
  assert.equal(problemOf(ran).code, 'api/answer');
});

test('an answer in which something is missing is the fault of whoever gave it', async (t) => {
  const { url } = await fakeApi(t, () => ({
    body: { ...origin, finalHeight: 5, height: 5, development: true, chainName: 'x' },
  }));
  for (const command of [
    'status',
    'why',
    'get x',
    'diff x 1 2',
    'list x',
    'history x',
    'block latest',
    'account alice',
    'validators list',
    'members list',
    'namespace show x',
    'evidence',
    'watch',
    'tx transfer bob 1 --from alice',
  ]) {
    const ran = await quorate([...command.split(' '), '--node', url, '--timeout', '0']);
    assert.match(ran.err, /code +api\/answer/, `${command}: ${ran.err}`);
    assert.doesNotMatch(ran.err, /TypeError|undefined|\n +at /, command);
  }
});

test('records are listed with what to give for the next page', async (t) => {
  const { url, seen } = await fakeChain(t);
  const first = await quorate(['list', 'shop/', '--limit', '2', '--node', url]);
  assert.match(first.out, /^shop\/b +2 +qr1\S+ +hello$/m);
  assert.match(first.out, /^2 at height 40, and there may be more: --after shop\/b$/m);
  const last = await quorate(['list', 'shop/', '--after', 'shop/b', '--node', url]);
  assert.match(last.out, /^2 at height 40$/m);
  assert.deepEqual(
    seen.map((request) => request.url),
    ['/v1/records/list?prefix=shop%2F&limit=2', '/v1/records/list?prefix=shop%2F&after=shop%2Fb&limit=100'],
  );
});

test('namespaces are listed with what to give for the next page', async (t) => {
  const { url, seen } = await fakeChain(t);
  const first = await quorate(['namespace', 'list', 's', '--limit', '2', '--node', url]);
  assert.match(first.out, /^shops +qr1\S+ +open +0 +1,200$/m);
  assert.match(first.out, /^2 at height 40, and there may be more: --after shops$/m);
  const last = await quorate(['namespace', 'list', '--after', 'shops', '--node', url]);
  assert.match(last.out, /^2 at height 40$/m);
  assert.deepEqual(
    seen.map((request) => request.url),
    ['/v1/namespaces?prefix=s&limit=2', '/v1/namespaces?prefix=&after=shops&limit=100'],
  );
});

test('a namespace is shown with its owner and its writers; one that was never opened ends with 5', async (t) => {
  const { url } = await fakeChain(t);
  const { out } = await quorate(['namespace', 'show', 'shop', '--node', url]);
  assert.match(out, /^mode +writers$/m);
  assert.match(out, new RegExp(`^owner +${encodeAddress(alice.publicKey)}$`, 'm'));
  assert.match(out, new RegExp(`^writer +${encodeAddress(bob.publicKey)}$`, 'm'));
  const none = await quorate(['namespace', 'show', 'none', '--node', url]);
  assert.equal(none.code, 5);
});
