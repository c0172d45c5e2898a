import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fromHex } from '../../src/base/bytes.ts';
import { unwrap } from '../../src/base/problem.ts';
import { encodeAddress } from '../../src/crypto/address.ts';
import { decodeTransaction, type Transaction } from '../../src/ledger/transaction.ts';
import { fakeApi, origin, problemReply, type Reply, type Seen, status } from '../client/fake-api.ts';
import { alice, bob } from './chain.ts';
import { jsonOf, problemOf, quorate, type Ran, temporaryDirectory } from './quorate.ts';

type Verdict = 'applied' | 'failed' | 'pending' | 'known' | 'refused' | 'gone';

/** Alice's account, as a node answers it. */
const accountOf = (pendingNonce: number): object => ({
  ...origin,
  consistency: 'stale',
  height: 40,
  blockHash: '77'.repeat(32),
  stateRoot: '88'.repeat(32),
  address: encodeAddress(alice.publicKey),
  publicKey: alice.publicKey,
  balance: '1',
  held: '0',
  nonce: 3,
  keys: null,
  pendingNonce,
});

/** A node that says of each transaction what the test wants, by its nonce and how often it came. */
async function node(
  t: TestContext,
  judge: (nonce: number, time: number) => Verdict,
  instead: (request: Seen, before: number) => Reply | undefined = () => undefined,
) {
  const times = new Map<number, number>();
  const sent: Transaction[][] = [];
  const { url, seen } = await fakeApi(t, (request) => {
    const { method, url: path, body } = request;
    const other = instead(request, sent.length);
    if (other !== undefined) {
      if (method === 'POST') sent.push(readBinary(body));
      return other;
    }
    if (method === 'POST') {
      const transactions = path.includes('wait=final')
        ? readBinary(body)
        : [
            unwrap(
              decodeTransaction(
                fromHex((JSON.parse(body.toString()) as { transaction: string }).transaction),
              ),
            ),
          ];
      sent.push(transactions);
      const results = transactions.map((one) => {
        const time = (times.get(one.nonce) ?? 0) + 1;
        times.set(one.nonce, time);
        return answerTo(one, judge(one.nonce, time));
      });
      return {
        body: path.includes('wait=final')
          ? { ...origin, results }
          : { ...origin, status: 'accepted', hash: transactions[0]?.hash },
      };
    }
    if (path.startsWith('/v1/accounts/')) {
      return { body: accountOf(5) };
    }
    return { body: status };
  });
  return { url, sent, seen };
}

function readBinary(body: Buffer): Transaction[] {
  const transactions: Transaction[] = [];
  for (let at = 2; at < body.length;) {
    const size = body.readUInt16BE(at);
    transactions.push(unwrap(decodeTransaction(body.subarray(at + 2, at + 2 + size))));
    at += 2 + size;
  }
  return transactions;
}

function answerTo({ hash, nonce }: Transaction, verdict: Verdict): object {
  const problem = { code: 'transaction/wrong-signers', detail: 'why', remedy: 'how', details: {} };
  if (verdict === 'refused' || verdict === 'gone') return { status: verdict, hash, problem };
  if (verdict === 'known') return { status: verdict, hash };
  if (verdict === 'pending') {
    const missing = { sender: encodeAddress(alice.publicKey), nonce: nonce - 1, expiryHeight: 99 };
    return { status: 'pending', hash, missing };
  }
  const failed = verdict === 'failed';
  const receipt = {
    transactionHash: hash,
    status: verdict,
    code: failed ? 'transaction/not-owner' : '',
    failure: failed ? { part: 'operation', index: 0, found: null } : null,
    fee: '1',
    accounts: [],
    records: [],
    changes: [],
  };
  return { status: 'final', hash, height: 41, blockHash: '77'.repeat(32), receipt };
}

const lines = [
  '{"type":"put","key":"a","text":"1"}',
  '',
  '{"operations":[{"type":"put","key":"b","text":"2"},{"type":"delete","key":"c"}],"reference":"0a"}',
  `{"type":"transfer","to":"${encodeAddress(bob.publicKey)}","amount":"5"}`,
];

function world(t: TestContext, text = lines.join('\n')) {
  const file = join(temporaryDirectory(t), 'many.jsonl');
  writeFileSync(file, text);
  const run = (url: string, args: readonly string[], options = {}): Promise<Ran> =>
    quorate(['tx', ...args, '--from', 'alice', '--node', url], options);
  return { file, signed: `${file}.signed`, run };
}

const hashes = (transactions: readonly Transaction[] = []): string[] => transactions.map(({ hash }) => hash);

describe('tx batch', () => {
  test('sends a transaction for each line, and says what became of each', async (t) => {
    const { file, signed, run } = world(t);
    const { url, sent } = await node(t, (nonce) => (nonce === 6 ? 'failed' : 'applied'));
    const { code, out } = await run(url, ['batch', file]);
    assert.equal(code, 6, 'one of them failed');
    const [first, second, third] = hashes(sent[0]);
    assert.equal(
      out,
      `line 1  ${first}  final at height 41: applied\n` +
        `line 3  ${second}  final at height 41: failed (transaction/not-owner at operation 0)\n` +
        `line 4  ${third}  final at height 41: applied\n` +
        '3 transactions: 2 applied, 1 failed, 0 refused, 0 gone, 0 open, 0 not sent.\n',
    );
    assert.deepEqual(
      sent[0]?.map(({ nonce, operations }) => [nonce, operations.length]),
      [
        [5, 1],
        [6, 2],
        [7, 1],
      ],
    );
    assert.equal(readFileSync(signed, 'utf8').split('\n').length, 5);
  });

  test('ends for nobody who stops reading how far it is, and says by its exit code when it is not done', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, (_, time) => (time < 3 ? 'pending' : 'applied'));
    assert.equal((await run(url, ['batch', file], { unread: 'stderr' })).code, 0);
    assert.equal(sent.length, 3);
    // The first line is final, and the others wait for good.
    const other = world(t);
    const slow = await node(t, (nonce) => (nonce === 5 ? 'applied' : 'pending'));
    assert.equal((await other.run(slow.url, ['batch', other.file], { unread: 'stdout' })).code, 4);
  });

  test('run again it sends the same bytes, and signs nothing', async (t) => {
    const { file, run } = world(t);
    let isUp = false;
    const { url, sent, seen } = await node(t, () => (isUp ? 'applied' : 'pending'));
    const stopped = await run(url, ['batch', file, '--json'], { interruptWhen: () => sent.length > 1 });
    assert.equal(stopped.code, 4);
    assert.equal(problemOf(stopped).code, 'cli/interrupted');
    assert.equal(jsonOf(stopped)['open'], 3);
    isUp = true;
    const asked = seen.length;
    const again = await run(url, ['batch', file]);
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, /3 transactions: 3 applied/);
    assert.deepEqual(new Set(sent.map((each) => hashes(each).join())).size, 1, 'the same bytes each time');
    assert.ok(seen.slice(asked).every(({ url: path }) => !path.startsWith('/v1/accounts/')));
  });

  test('what was signed on other terms is not sent as if those that are given counted', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, () => 'applied');
    assert.equal((await run(url, ['batch', file, '--fee', '3', '--expiry', '200'])).code, 0);
    const already = sent.length;
    for (const [terms, option] of [
      [['--fee', '4'], '--fee'],
      [['--fee', '3', '--nonce', '50'], '--nonce'],
      [['--fee', '3', '--expiry', '300'], '--expiry'],
    ] as const) {
      const ran = await run(url, ['batch', file, ...terms, '--json']);
      assert.equal(problemOf(ran).code, 'cli/file');
      assert.match(problemOf(ran).remedy, new RegExp(`Give the same ${option} `));
    }
    assert.equal(sent.length, already);
    assert.equal((await run(url, ['batch', file, '--fee', '3', '--expiry', '200'])).code, 0);
    for (const silent of [['--fee', '3'], []]) {
      assert.equal((await run(url, ['batch', file, ...silent])).code, 0, 'what is not said may be anything');
    }
  });

  test('two that run it at once send the same bytes', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, () => 'applied');
    const both = await Promise.all([run(url, ['batch', file]), run(url, ['batch', file])]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(new Set(sent.map((each) => hashes(each).join())).size, 1);
  });

  test('what somebody in between answers refuses no line', async (t) => {
    const { file, run } = world(t);
    const page = '<html>Welcome to this hotel</html>';
    const { url } = await fakeApi(t, ({ method, url: path }) => {
      if (method === 'POST') return { headers: { 'content-type': 'text/html' }, body: page };
      return path.startsWith('/v1/accounts/') ? { body: accountOf(0) } : { body: status };
    });
    const ran = await run(url, ['batch', file, '--json']);
    assert.equal(problemOf(ran).code, 'api/answer');
    assert.equal(jsonOf(ran)['refused'], 0);
    assert.equal(jsonOf(ran)['open'], 3);
    assert.equal(ran.code, 4, 'the outcome may still come');
    assert.match(problemOf(ran).remedy, /run the same command again, at this node or another one/);
  });

  test('a node is not asked to wait for longer than it has for its answer', async (t) => {
    for (const [timeout, waitMs] of [
      ['0', 1_000],
      ['3', 1_500],
      ['60', 5_000],
    ] as const) {
      const { file, run } = world(t);
      const { url, seen } = await node(t, () => 'applied');
      const ran = await run(url, ['batch', file, '--timeout', timeout]);
      assert.equal(ran.code, 0, ran.err);
      const posted = seen.filter(({ method }) => method === 'POST').map(({ url: path }) => path);
      assert.deepEqual(posted, [`/v1/transactions?wait=final&timeoutMs=${waitMs}`]);
    }
  });

  test('--signed names a file, and one that is too large is told as such', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, () => 'applied');
    const none = await run(url, ['batch', file, '--signed', '', '--json']);
    assert.equal(problemOf(none).code, 'cli/usage');
    const large = `${file}.large`;
    writeFileSync(large, '');
    truncateSync(large, 2 ** 30);
    const ran = await run(url, ['batch', file, '--signed', large, '--json']);
    assert.match(problemOf(ran).message, /more than \d+ bytes/);
    assert.deepEqual(sent, []);
  });

  test('one that is refused for good stops it; those behind it are told apart', async (t) => {
    const { file, run } = world(t);
    const { url } = await node(t, (nonce) => (nonce === 5 ? 'applied' : nonce === 6 ? 'refused' : 'pending'));
    const { code, out } = await run(url, ['batch', file]);
    assert.equal(code, 1);
    assert.match(out, /^line 1 .* applied$/m);
    assert.match(out, /^line 3 .* refused: transaction\/wrong-signers, why$/m);
    assert.match(out, /^line 4 .* open: it waits for nonce 6; it is gone when block 99 is final$/m);
    assert.match(out, /^Lines that were refused .* into a file of their own/m);
    assert.match(out, /1 applied, 0 failed, 1 refused, 0 gone, 1 open, 0 not sent/);
  });

  /** What a node that is asked for one transaction says. */
  const statusOf = (path: string, said: object): Reply | undefined => {
    const [, hash] = /^\/v1\/transactions\/([0-9a-f]{64})$/.exec(path) ?? [];
    return hash === undefined ? undefined : { body: { ...origin, hash, ...said } };
  };
  const unknown = { status: 'unknown', problem: null };
  const refusedAs = (as: string): object => ({
    status: as,
    problem: { code: 'mempool/superseded', detail: 'why', remedy: 'how', details: {} },
  });

  test('when no answer comes it asks what became of each, and forgets nothing that it was told', async (t) => {
    for (const [of, fate] of [
      [refusedAs('gone'), '1 applied, 0 failed, 0 refused, 1 gone, 1 open, 0 not sent'],
      [unknown, '1 applied, 0 failed, 0 refused, 0 gone, 2 open, 0 not sent'],
    ] as const) {
      const { file, run } = world(t);
      const { url, sent } = await node(
        t,
        (nonce) => (nonce === 5 ? 'applied' : 'pending'),
        ({ method, url: path }, before) => {
          if (method === 'POST' && before > 0) return { status: 504, body: 'no answer' };
          return statusOf(path, path.includes(hashes(sent[0])[1] ?? '') ? of : unknown);
        },
      );
      const ran = await run(url, ['batch', file, '--timeout', '0']);
      assert.match(ran.out, /^line 1 .* final at height 41: applied$/m);
      assert.match(ran.out, /^line 4 .* open: it waits for nonce 6; it is gone when block 99 is final$/m);
      assert.match(ran.out, new RegExp(fate), ran.out);
      assert.match(ran.err, /HTTP 504[^]*run the same command again/);
    }
  });

  test('what was not sent for sure is told so, and what is under way is not', async (t) => {
    const { file, run } = world(t);
    const proxy = await node(
      t,
      () => 'applied',
      ({ method }) => (method === 'POST' ? { status: 401, body: 'who are you' } : undefined),
    );
    const ran = await run(proxy.url, ['batch', file]);
    assert.match(ran.out, /0 open, 3 not sent/);
    const other = world(t);
    const silent = await node(
      t,
      () => 'applied',
      ({ method }) => (method === 'POST' ? { body: null } : undefined),
    );
    const interruptWhen = (): boolean => silent.sent.length > 0;
    const stopped = await other.run(silent.url, ['batch', other.file], { interruptWhen });
    assert.equal(stopped.code, 4);
    assert.match(stopped.out, /^line 1 .* open: it may have been sent, and no answer came$/m);
    assert.match(stopped.out, /3 open, 0 not sent/);
  });

  test('a refusal after a try that may have been taken, of this run or of one before, is none', async (t) => {
    const { file, run } = world(t);
    let said: object = unknown;
    const { url } = await node(
      t,
      () => 'refused',
      ({ method, url: path }, before) => {
        if (method === 'POST' && before === 0) return { status: 502, body: 'it broke' };
        return statusOf(path, said);
      },
    );
    for (const expected of [
      /whether the node took the transaction is unknown/,
      /may have been taken before/,
    ]) {
      const ran = await run(url, ['batch', file, '--json']);
      assert.equal(ran.code, 4, ran.out);
      assert.deepEqual([jsonOf(ran)['refused'], jsonOf(ran)['open']], [0, 3]);
      assert.match(problemOf(ran).message, expected);
    }
    said = refusedAs('gone');
    const ran = await run(url, ['batch', file, '--json']);
    assert.equal(ran.code, 1, ran.err);
    assert.deepEqual([jsonOf(ran)['gone'], jsonOf(ran)['open']], [3, 0]);
  });

  test('what was final so long ago that its block is pruned is not waited for', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, (nonce) => (nonce === 7 ? 'applied' : 'known'));
    const ran = await run(url, ['batch', file]);
    assert.equal(sent.length, 1);
    assert.equal(ran.code, 1, 'whether it failed is not known');
    assert.match(ran.out, /^line 1 .* final long ago: the node keeps no more what came of it$/m);
    assert.match(
      ran.out,
      /1 applied, .* 0 open, 0 not sent, 2 final long ago\.\n.*run the same command there/m,
    );
    const pruned = await node(
      t,
      () => 'pending',
      ({ method, url: path }) => {
        if (method === 'POST') return { status: 504, body: '' };
        return statusOf(path, {}) && problemReply(410, 'storage/pruned');
      },
    );
    const other = world(t);
    const looked = await other.run(pruned.url, ['batch', other.file, '--timeout', '0']);
    assert.match(looked.out, /3 final long ago/);
  });

  test('what was signed for something else is never sent', async (t) => {
    const { file, signed, run } = world(t);
    const { url, sent } = await node(t, () => 'applied');
    await run(url, ['batch', file]);
    writeFileSync(file, lines.join('\n').replace('"1"', '"9"'));
    const changed = await run(url, ['batch', file, '--json']);
    assert.deepEqual([changed.code, problemOf(changed).code], [1, 'cli/file']);
    assert.match(problemOf(changed).message, /signed for another content/);
    writeFileSync(file, lines.join('\n'));
    const kept = readFileSync(signed, 'utf8');
    writeFileSync(signed, kept.slice(0, -20));
    assert.equal(problemOf(await run(url, ['batch', file, '--json'])).code, 'cli/file');
    const other = await quorate(['tx', 'batch', file, '--from', 'bob', '--node', url, '--json']);
    assert.equal(problemOf(other).code, 'cli/file');
    writeFileSync(signed, kept);
    const more = problemOf(await run(url, ['batch', file, '--cosign', 'bob', '--json']));
    assert.equal(more.code, 'cli/file');
    assert.match(more.remedy, /--cosign/);
    assert.equal(sent.length, 1);
  });

  test('a line that is wrong is named, and nothing is signed', async (t) => {
    for (const [text, says] of [
      [`${lines[0]}\n{"type":"put"}\n`, /line 2: .*operations\[0\]/],
      [`${lines[0]}\n\n{"type":"put",\n`, /line 3, cannot be read as JSON/],
      ['{"type":"put",\n"key":}', /cannot be read as JSON/],
      ['', /cannot be read as JSON/],
    ] as const) {
      const { file, signed, run } = world(t, text);
      const { url, sent } = await node(t, () => 'applied');
      const ran = await run(url, ['batch', file, '--json']);
      assert.notEqual(ran.code, 0);
      assert.match(problemOf(ran).message, says);
      assert.deepEqual([existsSync(signed), sent.length], [false, 0]);
    }
  });
});

describe('tx send --file', () => {
  const operations = (count: number): string =>
    Array.from({ length: count }, (_, index) => `{"type":"put","key":"k${index}","text":"x"}`).join('\n');

  test('operations on lines of their own are one transaction', async (t) => {
    const { file, run } = world(t, operations(256));
    const { url, sent } = await node(t, () => 'applied');
    const { code, err } = await run(url, ['send', '--file', file]);
    assert.equal(code, 0, err);
    assert.equal(sent[0]?.[0]?.operations.length, 256);
    const { file: larger, run: runLarger } = world(t, operations(257));
    const refused = await runLarger(url, ['send', larger, '--json']);
    assert.equal(refused.code, 2);
    assert.match(problemOf(refused).remedy, /quorate tx batch/);
    const vain = await run(url, ['send', file, '--signed', `${file}.kept`, '--json']);
    assert.equal(vain.code, 2, 'one transaction is kept nowhere');
    assert.match(problemOf(vain).message, /--signed/);
    assert.equal(sent.length, 1);
  });

  test('objects on lines of their own are a transaction each', async (t) => {
    const { file, run } = world(t);
    const { url, sent } = await node(t, () => 'applied');
    const { out } = await run(url, ['send', '--file', file]);
    assert.match(out, /3 transactions: 3 applied/);
    assert.equal(sent[0]?.length, 3);
    const terms = await run(url, ['send', '--file', file, '--reference', 'x', '--json']);
    assert.deepEqual([terms.code, problemOf(terms).code], [2, 'cli/usage']);
    const twice = await run(url, ['send', file, '--file', file, '--json']);
    assert.equal(twice.code, 2);
    assert.equal(sent.length, 1);
  });
});
