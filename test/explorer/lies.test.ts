import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { jsonOf, quorate } from '../cli/quorate.ts';
import { Running } from '../e2e/processes.ts';
import { browserPath, complaint, visit, Visitor } from './browser.ts';

type Json = Record<string, unknown>;

/** The node's answers at a path come changed, while `during` runs. */
async function lying(
  page: Page,
  path: string,
  change: (answer: Json) => unknown,
  during: () => Promise<void>,
): Promise<void> {
  let lies = 0;
  await page.route(path, async (route) => {
    const response = await route.fetch();
    lies += 1;
    await route.fulfill({ response, json: change((await response.json()) as Json) });
  });
  await during();
  // Answers that are on their way come first.
  await page.unrouteAll({ behavior: 'wait' });
  assert.ok(lies > 0, `nobody asked for ${path}`);
}

/** The JSON with one part of its text replaced. */
const instead = (from: string, to: string) => (answer: Json) => {
  const text = JSON.stringify(answer);
  assert.ok(text.includes(from), from);
  return JSON.parse(text.replace(from, to)) as Json;
};

const inside = (answer: Json, name: string): Json => answer[name] as Json;

if (browserPath === undefined) {
  console.error('NO BROWSER: nobody lied to the explorer. Install chromium, or name one in QUORATE_BROWSER.');
} else {
  const executable = browserPath;
  test('the explorer of a node that lies', async (t) => {
    const network = new Running(t, ['testnet', '--base-port', '0']);
    const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
    const [{ api } = { api: '' }] = nodes;
    const visitor = await Visitor.start(t, executable);
    const send = async (...args: readonly string[]) =>
      jsonOf(await quorate(['tx', ...args, '--from', 'alice', '--wait', '--json', '--node', api]));
    await t.test('before the first block the state is that of the genesis file', async () => {
      const page = await visitor.open(api);
      await visit(page, `account/${encodeAddress(developmentKeyPair('alice').publicKey)}`, /^Account/);
      await page.getByText('as of block 0').waitFor();
      await page.getByText('1,000,000,000,000,000,000').first().waitFor();
      await page.getByText('the genesis file has this of account').waitFor({ state: 'attached' });
      await visit(page, 'namespace/none', /^Namespace/);
      assert.match(await complaint(page), /was never opened after block 0: that is proven/);
    });
    const paid = await send('transfer', 'bob', '5');
    const later = await send('put', 'note', 'a');
    await send('reserve', 'bob', '7', '--until', '+100');
    const held = `${encodeAddress(developmentKeyPair('alice').publicKey)}:2:0`;
    const answerOf = async (path: string) => (await (await fetch(`${api}/v1/${path}`)).json()) as Json;
    const transaction = `transaction/${String(paid['hash'])}`;
    const height = Number(paid['height']);
    const validator = String(inside(await answerOf('status'), 'validator')['address']);

    /** What is not proven has no tick, and the page says why. */
    const refused = async (page: Page, place: string, why: RegExp): Promise<void> => {
      await visit(page, '', /^The chain$/);
      await visit(page, place, /not proven/);
      assert.match(await complaint(page), why);
      assert.equal(await page.locator('main .tick.good').count(), 0);
    };

    /** What is about something else is no answer, and the page says so. */
    const unanswered = async (page: Page, place: string, why: string): Promise<void> => {
      await visit(page, '', /^The chain$/);
      await visit(page, place, /^(?!The chain)/);
      assert.match(await complaint(page), new RegExp(why));
      assert.equal(await page.locator('main .tick.good').count(), 0);
    };

    await t.test('what is not proven of the state is not shown, and what is has a tick', async () => {
      const page = await visitor.open(api);
      for (const [place, path] of [
        [`account/${validator}`, '**/v1/proofs/accounts/**'],
        [`account/${encodeAddress(developmentKeyPair('alice').publicKey)}`, '**/v1/proofs/accounts/**'],
        ['record/note', '**/v1/proofs/records?*'],
        ['namespace/demo', '**/v1/proofs/namespaces/*'],
        [`reservation/${encodeURIComponent(held)}`, '**/v1/proofs/reservations/*'],
      ] as const) {
        const other = (answer: Json): Json => ({
          ...answer,
          entry: answer['entry'] === null ? '00' : null,
        });
        await lying(page, path, other, () => unanswered(page, place, 'holds something else of'));
        await visit(page, '', /^The chain$/);
        await visit(page, place, /^(?:Account|Record|Namespace|Reservation)/);
        await page.getByText(/as of block/).waitFor();
        assert.equal(await page.locator('main .tick.good').count(), 1, place);
      }
    });

    await t.test('who says that no block is final is not believed where one was proven', async () => {
      const page = await visitor.open(api);
      const json = {
        code: 'api/no-such-block',
        detail: 'no block is final yet',
        remedy: 'Wait.',
        details: {},
      };
      const nothing = { status: 404, contentType: 'application/problem+json', body: JSON.stringify(json) };
      await page.route('**/v1/proofs/**', (route) => route.fulfill(nothing));
      await visit(page, '', /^The chain$/);
      await page.locator('main .tick.good').first().waitFor();
      await visit(page, 'record/note', /^(?!The chain)/);
      assert.match(await complaint(page), /says that no block is final, and block \d+ is: that is proven/);
      await page.unrouteAll({ behavior: 'wait' });
    });

    await t.test('a damaged transaction has no tick', async () => {
      const page = await visitor.open(api);
      for (const [from, to, why] of [
        ['"status":"applied"', '"status":"failed"', /code stands beside failed/],
        ['"amount":"5"', '"amount":"500"', /fields are not those in its bytes/],
        ['"balance":"', '"balance":"9', /receipt does not stand under/],
        ['"signature":"', '"signature":"00', /hex|64 bytes/],
        ['"fee":"', '"fee":"x', /no proof/],
      ] as const) {
        await lying(page, '**/v1/transactions/*', instead(from, to), () => refused(page, transaction, why));
      }
    });

    await t.test('nor has another transaction or block than the one that was asked for', async () => {
      const page = await visitor.open(api);
      const other = await answerOf(`transactions/${String(later['hash'])}`);
      await lying(
        page,
        '**/v1/transactions/*',
        () => other,
        () => unanswered(page, transaction, `hash is not ${String(paid['hash'])}, which was asked for`),
      );
      const before = await answerOf(`blocks/${height}/finality`);
      const next = height + 1;
      for (const [name, what] of [
        [String(next), 'header.height'],
        [String(later['blockHash']), 'hash'],
      ] as const) {
        await lying(
          page,
          '**/finality',
          () => before,
          () => unanswered(page, `block/${name}`, `${what} is not ${name}, which was asked for`),
        );
      }
    });

    await t.test('nor has a block with anything in it that is not so', async () => {
      const page = await visitor.open(api);
      const proof = inside(await answerOf(`transactions/${String(paid['hash'])}`), 'inclusion');
      const sender = String(inside(proof, 'transaction')['sender']);
      for (const [change, why] of [
        [instead(`"sender":"${sender}"`, `"sender":"${validator}"`), /fields are not those in its bytes/],
        [instead('"amount":"5"', '"amount":"500"'), /fields are not those in its bytes/],
        [instead('"memo":""', '"memo":"for you"'), /fields are not those in its bytes/],
        [instead('"balance":"', '"balance":"9'), /other receipts stand in the block/],
        [
          (answer: Json) => ({ ...answer, transactions: [], receipts: [] }),
          /other transactions stand in the block/,
        ],
        [(answer: Json) => ({ ...answer, receipts: [] }), /other receipts stand in the block/],
        [(answer: Json) => ({ ...answer, transactions: [null] }), /no proof/],
      ] as const) {
        await lying(page, '**/v1/blocks/*?full=true', change, () => refused(page, `block/${height}`, why));
      }
    });

    await t.test('what no hash covers is not shown beside a tick', async () => {
      const page = await visitor.open(api);
      const header = inside(await answerOf(`blocks/${height}`), 'header');
      const lie = (answer: Json): Json => ({
        ...answer,
        hash: 'ab'.repeat(32),
        header: { ...inside(answer, 'header'), timestamp: 86_400_000, view: 7_777_777 },
        transactionHashes: [],
        certificate: null,
      });
      await lying(page, '**/v1/blocks/*?full=true', lie, async () => {
        await visit(page, `block/${height}`, /^Block \d+ verified$/);
        const text = (await page.locator('main').textContent()) ?? '';
        assert.doesNotMatch(text, /1970|7,777,777|abababab/);
        assert.match(text, new RegExp(new Date(Number(header['timestamp'])).toISOString().slice(0, 10)));
        assert.match(text, /Transactions \(1\)/);
      });
      await lying(
        page,
        '**/v1/validators',
        (answer) => ({
          ...answer,
          validators: (answer['validators'] as Json[]).map((one) => ({ ...one, name: 'the bank' })),
        }),
        async () => {
          await page.goto(`${api}/#/`);
          await page.reload();
          await visit(page, `block/${height}`, /verified/);
          assert.equal(await page.locator('main').getByText('the bank').count(), 0);
        },
      );
    });

    await t.test('nor a block of the chain whose header is another one', async () => {
      const page = await visitor.open(api);
      const newest = (change: Json) => (answer: Json) => {
        const headers = answer['headers'] as Json[];
        const last = headers.at(-1) as Json;
        return {
          ...answer,
          headers: [...headers.slice(0, -1), { ...last, header: { ...inside(last, 'header'), ...change } }],
        };
      };
      await lying(page, '**/v1/headers*', newest({ view: 77 }), async () => {
        await page.reload();
        await page.getByRole('row', { name: /not proven/ }).waitFor();
        assert.equal(await page.locator('main .tick.good').count(), 0);
      });
      await lying(page, '**/v1/headers*', newest({ timestamp: 1e300 }), async () => {
        await page.reload();
        await page.getByRole('alert').waitFor();
        assert.match(await complaint(page), /this is no proof/);
      });
    });

    await t.test('answers that no page can show are a problem, and the other pages go on', async () => {
      const page = await visitor.open(api);
      await lying(
        page,
        '**/v1/status',
        (answer) => ({ ...answer, finalTimestamp: 1e300 }),
        async () => {
          await page.reload();
          await visit(page, 'node', /^This node$/);
          await page.getByText('1e+300 ms').waitFor();
        },
      );
      await lying(
        page,
        '**/v1/namespaces?*',
        (answer) => {
          const namespaces = answer['namespaces'] as Json[];
          return { ...answer, namespaces: namespaces.map((one) => ({ ...one, entries: {} })) };
        },
        async () => {
          await visit(page, 'records', /cannot be shown/);
          assert.match(await complaint(page), /Believe nothing of it/);
        },
      );
      await visit(page, `block/${height}`, /verified/);
    });

    await t.test('asks for no signature for another chain', async () => {
      const page = await visitor.open(`${api}/#/send`);
      await page.getByRole('button', { name: 'Add the payment' }).click();
      let submitted = 0;
      await page.route('**/v1/transactions', (route) => {
        submitted += 1;
        return route.abort();
      });
      await lying(
        page,
        '**/v1/status',
        (answer) => ({ ...answer, chainId: 'ab'.repeat(32) }),
        async () => {
          await page.getByRole('button', { name: 'Sign and send' }).click();
          await page.getByText('Nothing was signed.').waitFor();
        },
      );
      assert.equal(submitted, 0);
    });

    assert.deepEqual(visitor.complaints, []);
  });
}
