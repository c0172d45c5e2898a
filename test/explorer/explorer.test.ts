import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGenesis, formatGenesis, parseGenesis } from '../../src/ledger/genesis.ts';
import { unwrap } from '../../src/base/problem.ts';
import { firstSetting, queryOf } from '../../src/playground/setting.ts';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import { simulate } from '../../src/simulator/run/simulation.ts';
import { jsonOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { Running } from '../e2e/processes.ts';
import { barriers, browserPath, visit, Visitor } from './browser.ts';

const genesisFile = join(import.meta.dirname, '../../genesis/testnet-pbft.json');
/** What a page may weigh at most, packed, all its files together. */
const heaviestBytes = 100_000;

const send = (api: string, ...args: readonly string[]) =>
  quorate(['tx', ...args, '--from', 'alice', '--wait', '--json', '--node', api]);

if (browserPath === undefined) {
  console.error(
    'NO BROWSER: the explorer was not looked at. Install chromium, or name one in QUORATE_BROWSER.',
  );
} else {
  const executable = browserPath;
  test('the explorer of a running node', async (t) => {
    const network = new Running(t, ['testnet', '--base-port', '0']);
    const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
    const [{ api } = { api: '' }] = nodes;
    const visitor = await Visitor.start(t, executable);
    const hostile = `<img src=x onerror="document.title='owned'"> \u202Eabc 😀`;
    const paid = jsonOf(await send(api, 'transfer', 'bob', '5'));
    await send(api, 'put', hostile, hostile, '--reference', 'invoice-7');

    await t.test('shows blocks as they come, and ticks them when it has checked them itself', async () => {
      const page = await visitor.open(api);
      await page
        .getByRole('row', { name: /verified/ })
        .nth(2)
        .waitFor();
      const before = await page.getByRole('row').count();
      await send(api, 'transfer', 'bob', '6');
      await page
        .getByRole('row', { name: /verified/ })
        .nth(before - 1)
        .waitFor();
      assert.equal(await page.getByText('not proven').count(), 0);
    });

    await t.test('finds what is typed: a height, a hash, a key, a reference', async () => {
      const page = await visitor.open(api);
      const search = page.getByRole('searchbox');
      for (const [text, title] of [
        ['1', /^Block 1/],
        [String(paid['hash']), /^Transaction/],
        [String(paid['blockHash']), /^Block \d/],
        [hostile, /^Record/],
        ['invoice-7', /^Reference/],
        [String(paid['hash']).toUpperCase(), /^Transaction/],
        ['no-such-thing', /^Record/],
      ] as const) {
        await search.fill(text);
        await search.press('Enter');
        await page.getByRole('heading', { level: 1, name: title }).waitFor();
      }
    });

    await t.test('goes where the last search leads, however long the one before takes', async () => {
      const page = await visitor.open(api);
      const searchbox = page.getByRole('searchbox');
      let goOn = (): void => undefined;
      const held = new Promise<void>((resolve) => (goOn = resolve));
      await page.route('**/finality', async (route) => {
        await held;
        await route.continue();
      });
      await searchbox.fill(String(paid['blockHash']));
      await searchbox.press('Enter');
      await searchbox.fill('invoice-7');
      await searchbox.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Reference' }).waitFor();
      await page.getByRole('row', { name: /alice put .* applied/ }).waitFor();
      const answered = page.waitForResponse('**/finality');
      goOn();
      await (await answered).finished();
      await page.unroute('**/finality');
      await page.getByRole('heading', { level: 1, name: 'Reference' }).waitFor();
      assert.match(page.url(), /reference/);
    });

    await t.test('shows what others wrote as text, and never as a part of the page', async () => {
      const page = await visitor.open(`${api}/#/record/${encodeURIComponent(hostile)}`);
      const value = page.locator('pre.value');
      await value.waitFor();
      // With a mark that turns the writing it is shown as bytes.
      assert.match((await value.textContent()) ?? '', /^0x3c696d67/);
      assert.match((await page.locator('p.mono').textContent()) ?? '', /<img src=x.*\\u202eabc 😀/);
      assert.equal(await page.title(), 'Quorate');
      await visit(page, 'nowhere', /^There is no such page$/);
      for (const [place, title, why] of [
        ['block/-1', /^Block -1$/, /names no block/],
        ['block/999999', /^Block 999999$/, /block/],
        ['transaction/xyz', /^Transaction$/, /hash/],
        ['account/qr1x', /^Account$/, /account|address/],
        ['record/%E0%A4%A', /^Record$/, /key/],
      ] as const) {
        await visit(page, place, title);
        assert.match((await page.getByRole('alert').first().textContent()) ?? '', why);
      }
    });

    await t.test('signs and sends a transaction of two operations, and verifies its receipt', async () => {
      const page = await visitor.open(`${api}/#/send`);
      await page.getByLabel('From').selectOption('alice');
      await page.getByRole('button', { name: 'Add the payment' }).click();
      await page.getByRole('form').getByLabel('Do this').selectOption('write a record');
      await page.getByLabel('with').fill('written in a browser');
      await page.getByRole('button', { name: 'Add the record' }).click();
      await page.getByRole('button', { name: 'Sign and send' }).click();
      await page.getByText('its receipt verified by this page').waitFor();
      const sent = `${api}/${await page.locator('section h2 a').getAttribute('href')}`;
      await page.goto(`${api}/#/record/note`);
      await page.getByRole('row', { name: /put written in a browser/ }).waitFor();
      await page.locator('dd a', { hasText: 'alice' }).click();
      await page.getByRole('heading', { level: 1, name: /Account alice/ }).waitFor();
      await page.getByRole('row', { name: /sender transfer 5 to bob, put note applied/ }).waitFor();
      await page.goto(`${api}/#/send`);
      const got = await quorate(['get', 'note', '--node', api, '--raw']);
      assert.equal(got.out, 'written in a browser');
      await page.goto(sent);
      await page.getByRole('heading', { level: 1, name: /Transaction verified/ }).waitFor();
      assert.equal(await page.getByRole('row', { name: /transfer|put/ }).count(), 2);
    });

    await t.test('pays once, also when the answer is lost and somebody clicks again', async () => {
      const page = await visitor.open(`${api}/#/send`);
      const balance = async () =>
        BigInt(String(jsonOf(await quorate(['account', 'carol', '--json', '--node', api]))['balance']));
      const before = await balance();
      await page.getByLabel('to', { exact: true }).fill('carol');
      await page.getByRole('button', { name: 'Add the payment' }).click();
      await page.route('**/v1/transactions', async (route) => {
        await route.fetch();
        await route.abort();
      });
      await page.getByRole('button', { name: 'Sign and send' }).click();
      await page.getByText(/whether the node took the transaction is unknown/).waitFor();
      await page.unroute('**/v1/transactions');
      await page.getByRole('button', { name: 'Sign and send' }).dblclick();
      await page.getByText('its receipt verified by this page').waitFor();
      assert.equal(await page.getByText('sent again').count(), 1);
      assert.equal(await balance(), before + 5n);
    });

    await t.test('says so when the browser keeps nothing', async () => {
      const page = await visitor.open(api);
      await page.addInitScript(
        `for (const name of ['indexedDB', 'localStorage'])
           Object.defineProperty(window, name, { get() { throw new Error('denied'); } });`,
      );
      await page.reload();
      await visit(page, 'keys', /^Keys$/);
      await page.getByText('this browser keeps nothing for this page: a key would be lost').waitFor();
      await visit(page, 'trust', /^What is trusted$/);
      await page.getByRole('button', { name: 'Pin this genesis file' }).click();
      await page.getByText('what is pinned is forgotten').waitFor();
      await page.getByText('against the genesis file that you pinned').waitFor();
      await visit(page, 'send', /^Send a transaction$/);
      await page.getByLabel('From').selectOption('alice');
      await visit(page, `transaction/${String(paid['hash'])}`, /verified/);
    });

    await t.test('keeps keys under a password, and signs with them', async () => {
      const page = await visitor.open(`${api}/#/keys`);
      await page.getByRole('textbox', { name: 'Name' }).fill('mine');
      await page.getByLabel('Password').fill('short');
      await page.getByRole('button', { name: 'Make a key' }).click();
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Password').fill('long enough');
      await page.getByRole('button', { name: 'Make a key' }).click();
      const link = page.locator('td a');
      const address = (await link.getAttribute('title')) ?? '';
      await send(api, 'transfer', address, '100');
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save the file of mine' }).click();
      const file = join(temporaryDirectory(t), 'mine.json');
      await (await coming).saveAs(file);
      assert.match(readFileSync(file, 'utf8'), /"kind": "encrypted"/);
      assert.deepEqual(await barriers(page), []);
      await page.reload();
      await page.goto(`${api}/#/send`);
      await page.getByLabel('From').selectOption('mine');
      await page.getByRole('button', { name: 'Add the payment' }).click();
      await page.getByLabel('Password').fill('long enouh');
      await page.getByRole('button', { name: 'Sign and send' }).click();
      await page.getByText('the password does not open the key').waitFor();
      await page.getByLabel('Password').fill('long enough');
      await page.getByRole('button', { name: 'Sign and send' }).click();
      await page.getByText('its receipt verified by this page').waitFor();
    });

    await t.test('a node on another chain than the pinned genesis proves nothing', async () => {
      const page = await visitor.open(`${api}/#/trust`);
      const own = readFileSync(genesisFile, 'utf8');
      const other = formatGenesis(unwrap(createGenesis({ ...unwrap(parseGenesis(own)), name: 'other' })));
      const choose = (text: string) =>
        page
          .getByLabel('Choose your own genesis file')
          .setInputFiles({ name: 'genesis.json', mimeType: 'application/json', buffer: Buffer.from(text) });
      await choose('{"name": 5}');
      await page.getByRole('alert').waitFor();
      await choose(other);
      await page.getByText('This node is on another chain').waitFor();
      await page.goto(`${api}/#/transaction/${String(paid['hash'])}`);
      await page.getByRole('heading', { level: 1, name: /not proven/ }).waitFor();
      await page.goto(`${api}/#/trust`);
      await choose(own);
      await page.getByText('This node is on another chain').waitFor({ state: 'detached' });
      await page.goto(`${api}/#/transaction/${String(paid['hash'])}`);
      await page.getByRole('heading', { level: 1, name: /verified/ }).waitFor();
    });

    await t.test('can be used with ears and keys, on a phone, and in the dark', async () => {
      for (const options of [{}, { dark: true }, { width: 360 }]) {
        const page = await visitor.open(api, options);
        await page
          .getByRole('row', { name: /verified/ })
          .first()
          .waitFor();
        for (const [place, title] of [
          ['', /^The chain$/],
          ['block/1', /^Block 1 verified$/],
          [`transaction/${String(paid['hash'])}`, /^Transaction verified$/],
          ['record/note', /^Record$/],
          ['records', /^Records$/],
          ['keys', /^Keys$/],
          ['validators', /^Validators$/],
          ['send', /^Send a transaction$/],
          ['node', /^This node$/],
          ['trust', /^What is trusted$/],
        ] as const) {
          await visit(page, place, title);
          assert.deepEqual(await barriers(page), [], `${place} ${JSON.stringify(options)}`);
          const width = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(width <= (options.width ?? 1100), `${place} is ${width} wide`);
        }
      }
      const page = await visitor.open(api);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.evaluate('document.body.append(document.createElement("input"))');
      assert.match((await barriers(page)).join(), /label/, 'a barrier is found');
      await page.keyboard.press('/');
      assert.equal(await page.evaluate('document.activeElement.type'), 'search');
    });

    await t.test('the playground runs what quorate simulate runs, from the same seed', async () => {
      const setting = queryOf({ ...firstSetting, plan: 'drawn', seed: 3 });
      const page = await visitor.open(`${api}/#/play/${encodeURIComponent(setting)}`);
      await page.getByLabel('Speed').selectOption('4');
      const { verdict } = await simulate({ ...drawPlan(3, 'pbft'), signatures: 'fast' });
      await page.getByText(verdict.trace).waitFor();
    });

    await t.test('the proof that it gives to download is one for the terminal', async () => {
      const page = await visitor.open(`${api}/#/transaction/${String(paid['hash'])}`);
      await page.getByText('What this page checked').click();
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download the proof' }).click();
      const file = join(temporaryDirectory(t), 'proof.json');
      await (await coming).saveAs(file);
      const verified = await quorate(['verify', file, '--genesis', genesisFile, '--json']);
      assert.equal(jsonOf(verified)['hash'], paid['hash']);
    });

    await t.test('weighs little, asks nobody else, and breaks no rule of its policy', async () => {
      let bytes = 0;
      const script = await (await fetch(`${api}/explorer/app.js`)).text();
      // What the script cannot begin without; the playground comes when somebody opens it.
      const parts = [...script.matchAll(/from ?"\.\/(part-\w+\.js)"/g)].map(
        ([, name]) => `/explorer/${name}`,
      );
      assert.ok(parts.length > 0 && /import\("\.\/part-\w+\.js"\)/.test(script));
      for (const path of ['/', '/explorer/app.js', '/explorer/app.css', '/explorer/icon.svg', ...parts]) {
        const response = await fetch(api + path);
        assert.equal(response.status, 200);
        assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
        const etag = response.headers.get('etag') ?? '';
        const again = await fetch(api + path, { headers: { 'if-none-match': etag } });
        assert.equal(again.status, 304);
        bytes += Number(response.headers.get('content-length'));
      }
      assert.ok(bytes < heaviestBytes, `${bytes} bytes`);
      assert.deepEqual(visitor.complaints, []);
    });

    await t.test('says so when the node stops answering', async () => {
      const page = await visitor.open(api);
      await page
        .getByRole('row', { name: /verified/ })
        .first()
        .waitFor();
      await page.route('**/v1/**', (route) => route.abort());
      network.child.kill('SIGTERM');
      await page.getByRole('alert').first().waitFor();
    });
  });
}
