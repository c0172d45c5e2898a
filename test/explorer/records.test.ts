import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { jsonOf, quorate, temporaryDirectory } from '../cli/quorate.ts';
import { Running } from '../e2e/processes.ts';
import { barriers, browserPath, visit, Visitor } from './browser.ts';

/** As many operations as one transaction may have, and more rows than a page may show. */
const many = 256;
const mostRows = 200;

const emoji = '🦜'.repeat(1_024);
const hostileKeys = [
  ['<img src=x onerror=document.title=1>', 'a script'],
  ['\u202Edeen', 'turned'],
  ['a\u2066b\u2069c', 'isolated'],
  ['\u200Bnothing', 'of no width'],
] as const;

/** Asks for the next page, and waits until it is there. */
async function further(page: Page, name: string, key: string): Promise<void> {
  await page.getByRole('button', { name }).click();
  await page.getByRole('row', { name: key }).waitFor();
}

// Where there is no browser `explorer.test.ts` says so.
if (browserPath !== undefined) {
  const executable = browserPath;
  test('the explorer shows what accounts own', async (t) => {
    const network = new Running(t, ['testnet', '--base-port', '0']);
    const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
    const [{ api } = { api: '' }] = nodes;
    const visitor = await Visitor.start(t, executable);
    const directory = temporaryDirectory(t);
    const genesisFile = join(directory, 'genesis.json');
    let files = 0;
    const run = async (...args: readonly string[]) => {
      const ran = await quorate([...args, '--from', 'alice', '--wait', '--json', '--node', api]);
      assert.equal(ran.code, 0, ran.out + ran.err);
      return jsonOf(ran);
    };
    const sendAll = (operations: readonly object[]) => {
      const file = join(directory, `${files++}.json`);
      writeFileSync(file, JSON.stringify({ operations }));
      return run('tx', 'send', file);
    };
    const keyOf = (index: number) => `shop/${1_000 + index}`;
    await run('namespace', 'open', 'shop', '--writer', 'alice');
    await run('namespace', 'open', 'shared');
    await sendAll(
      Array.from({ length: many }, (_, index) => ({ type: 'put', key: keyOf(index), text: `${index}` })),
    );
    await sendAll([
      { type: 'put', key: 'parrots', text: emoji },
      { type: 'put', key: 'long'.repeat(20), text: 'words of a value '.repeat(10) },
      { type: 'put', key: 'broken', value: 'ff00c328' },
      { type: 'put', key: 'lines', text: '{\n\t"a": 1\n}' },
      ...hostileKeys.map(([key, text]) => ({ type: 'put', key, text })),
    ]);

    await t.test('namespaces and records by the beginning of their names', async () => {
      const page = await visitor.open(`${api}/#/records`);
      await page.getByRole('row', { name: 'shared alice everybody' }).waitFor();
      await page.getByRole('row', { name: 'shop alice one writer, any record 256' }).waitFor();
      assert.deepEqual(await barriers(page), []);
      await page.getByLabel('Names and keys that begin with').fill('shop');
      await page.getByRole('button', { name: 'List them' }).click();
      await page.getByRole('row', { name: 'shared' }).waitFor({ state: 'detached' });
      await page.getByRole('link', { name: 'shop', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Namespace' }).waitFor();
      await page.getByRole('row', { name: `${keyOf(0)} 0 1` }).waitFor();
      assert.equal(await page.locator('dd a', { hasText: 'alice' }).count(), 2, 'owner and writer');
      assert.deepEqual(await barriers(page), []);
      await page.getByRole('link', { name: keyOf(3) }).click();
      await page.getByRole('heading', { level: 1, name: 'Record' }).waitFor();
      await page.locator('dd a', { hasText: 'shop' }).click();
      await page.getByRole('heading', { level: 1, name: 'Namespace' }).waitFor();
      await visit(page, 'namespace/none', /^Namespace$/);
      await page.getByText('the namespace "none" was never opened').waitFor();
      await visit(page, 'records/shop%2F', /^Records$/);
      assert.equal(await page.getByRole('heading', { name: 'Namespaces' }).count(), 0);
      await page.getByRole('row', { name: keyOf(0) }).waitFor();
    });

    await t.test('a page that does not come leaves what is there, and is asked for again', async () => {
      const page = await visitor.open(`${api}/#/namespace/shop`);
      await page.getByRole('row', { name: keyOf(24) }).waitFor();
      await page.route('**/v1/records/list*after=*', (route) =>
        route.fulfill({
          status: 404,
          contentType: 'application/problem+json',
          body: JSON.stringify({ code: 'api/no-such-route', detail: 'not here', remedy: 'Ask again.' }),
        }),
      );
      await page.getByRole('button', { name: 'Further records' }).click();
      await page.getByRole('alert').waitFor();
      assert.equal(await page.locator('tbody tr').count(), 25);
      await page.unroute('**/v1/records/list*after=*');
      await further(page, 'Try again', keyOf(49));
      assert.equal(await page.getByRole('alert').count(), 0);
      assert.equal(await page.locator('tbody tr').count(), 50);
      // A second click is no second page, and no second question.
      let asked = 0;
      await page.route('**/v1/records/list*', async (route) => {
        asked += 1;
        // It takes longer than both clicks.
        await page.getByRole('button', { name: 'Further records' }).click({ force: true });
        await route.continue();
      });
      await further(page, 'Further records', keyOf(74));
      assert.equal(asked, 1);
      const keys = await page.locator('tbody td:first-child').allTextContents();
      assert.equal(new Set(keys).size, keys.length);
    });

    await t.test('the first page is asked for again too', async () => {
      const page = await visitor.open(api);
      await page.route('**/v1/records/list*', (route) => route.fulfill({ status: 404, body: 'lost' }));
      await visit(page, 'namespace/shop', /^Namespace$/);
      await page.getByRole('alert').waitFor();
      await page.unroute('**/v1/records/list*');
      await further(page, 'Try again', keyOf(0));
    });

    await t.test('what a busy node did not answer is asked for until it does', async () => {
      const page = await visitor.open(api);
      const busy = { code: 'api/busy', detail: 'busy', remedy: 'Wait.', details: { retryable: true } };
      await page.route('**/v1/proofs/namespaces/shop', (route) =>
        route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          body: JSON.stringify(busy),
        }),
      );
      await page.goto(`${api}/#/namespace/shop`);
      await page.getByRole('alert').filter({ hasText: 'api/busy' }).waitFor();
      await page.unrouteAll({ behavior: 'wait' });
      await page.getByText('one writer, any record').waitFor();
      assert.equal(await page.getByRole('alert').count(), 0);
    });

    await t.test('however long a list is, a page keeps a bounded part of it', async () => {
      const page = await visitor.open(`${api}/#/namespace/shop`);
      await page.getByRole('row', { name: keyOf(24) }).waitFor();
      for (let last = 49; last < many; last += 25) {
        await further(page, 'Further records', keyOf(last));
        assert.ok((await page.locator('tbody tr').count()) <= mostRows);
      }
      await further(page, 'Further records', keyOf(many - 1));
      assert.equal(await page.getByRole('button', { name: 'Further records' }).count(), 0);
      assert.equal(await page.locator('tbody tr').count(), mostRows);
      await page.getByText(`The first ${many - mostRows} are not shown any more.`).waitFor();
      await further(page, 'From the beginning', keyOf(0));
      assert.equal(await page.locator('tbody tr').count(), 25);
    });

    await t.test('emoji, scripts, marks that turn writing, and bytes that are no text', async () => {
      const page = await visitor.open(`${api}/#/records`);
      await page.getByRole('row', { name: 'parrots 🦜' }).waitFor();
      await page.getByRole('row', { name: 'broken 0xff00c328' }).waitFor();
      await page.getByRole('row', { name: 'lines { ↵ "a": 1 ↵ }' }).waitFor();
      const shown = (await page.locator('tbody').last().textContent()) ?? '';
      assert.doesNotMatch(shown, /[\u202E\u2066\u2069\u200B]/);
      assert.match(shown, /<img src=x onerror=document\.title=1>/);
      assert.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 1100);
      for (const [key, value] of hostileKeys) {
        await page.goto(`${api}/#/record/${encodeURIComponent(key)}`);
        await page.locator('pre.value', { hasText: value }).waitFor();
        assert.doesNotMatch((await page.locator('main').textContent()) ?? '', /[\u202E\u2066\u2069\u200B]/);
        await page.getByRole('row', { name: `put ${value}` }).waitFor();
      }
      await page.goto(`${api}/#/record/parrots`);
      await page.locator('pre.value', { hasText: '🦜' }).waitFor();
      assert.equal(await page.locator('pre.value').textContent(), emoji);
      await page.goto(`${api}/#/record/broken`);
      await page.locator('pre.value', { hasText: '0xff00c328' }).waitFor();
      await page.goto(`${api}/#/record/lines`);
      await page.locator('pre.value', { hasText: '"a": 1' }).waitFor();
      assert.equal(await page.locator('pre.value').textContent(), '{\n\t"a": 1\n}');
      assert.equal(await page.title(), 'Quorate');
      const narrow = await visitor.open(`${api}/#/record/parrots`, { width: 360 });
      await narrow.getByRole('row', { name: /put 🦜/ }).waitFor();
      assert.equal(await narrow.evaluate<number>('document.documentElement.scrollWidth'), 360);
    });

    await t.test('what an account has and has set aside, and what became of that', async () => {
      const reserved = await run('tx', 'reserve', 'bob', '70', '--until', '+500');
      const page = await visitor.open(api);
      const address = encodeAddress(developmentKeyPair('alice').publicKey);
      await page.getByRole('searchbox').fill(address.toUpperCase());
      await page.getByRole('searchbox').press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Account alice' }).waitFor();
      const held = page.locator('dl > div', { hasText: 'reserved for others' });
      assert.equal(await held.locator('dd').textContent(), '70');
      await visit(page, `transaction/${String(reserved['hash'])}`, /verified/);
      await page.getByRole('link', { name: 'what became of it' }).click();
      await page.getByRole('heading', { level: 1, name: 'Reservation' }).waitFor();
      await page.getByText('nothing yet: it is held').waitFor();
      const name = (await page.locator('p.mono').textContent()) ?? '';
      const posted = await quorate([
        'tx',
        'post',
        name,
        '30',
        '--from',
        'bob',
        '--wait',
        '--json',
        '--node',
        api,
      ]);
      await visit(page, `transaction/${String(jsonOf(posted)['hash'])}`, /verified/);
      await page.getByRole('link', { name: /^alice:\d+:0$/ }).click();
      await page.getByText('30 taken, the rest went back').waitFor();
      assert.deepEqual(await barriers(page), []);
      await page.getByRole('searchbox').fill(name);
      await page.getByRole('searchbox').press('Enter');
      await visit(page, `reservation/${encodeURIComponent(name.replace(/\d+$/, '9'))}`, /^Reservation$/);
      await page.getByText('there is no reservation').waitFor();
    });

    await t.test('what it shows of the state is proven in a file for the terminal', async () => {
      const told = (await (await fetch(`${api}/v1/genesis`)).json()) as { genesis: string };
      writeFileSync(genesisFile, told.genesis);
      const alice = encodeAddress(developmentKeyPair('alice').publicKey);
      for (const [place, title, proves, name] of [
        [`account/${alice}`, /^Account alice$/, 'account', alice],
        ['record/parrots', /^Record$/, 'record', 'parrots'],
        ['namespace/shop', /^Namespace$/, 'namespace', 'shop'],
      ] as const) {
        const page = await visitor.open(`${api}/#/${place}`);
        await page.getByRole('heading', { level: 1, name: title }).waitFor();
        await page.getByText('What this page checked').click();
        const coming = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Download the proof' }).click();
        const file = join(directory, `${proves}.json`);
        await (await coming).saveAs(file);
        const verified = await quorate(['verify', file, '--genesis', genesisFile, '--json']);
        const { found, ...about } = jsonOf(verified);
        assert.deepEqual([about['proves'], about['name']], [proves, name]);
        assert.notEqual(found, null);
      }
    });

    await t.test('a list and a history are proven to lack nothing, and the proof is a file', async () => {
      for (const [place, title, says, row, proves] of [
        [
          'namespace/shop',
          /^Namespace$/,
          'All records of the namespace, and no others.',
          `${keyOf(0)} 0 1`,
          'records',
        ],
        ['record/parrots', /^Record$/, 'All versions that there ever were, and no others.', /put/, 'history'],
      ] as const) {
        const page = await visitor.open(`${api}/#/${place}`);
        await page.getByRole('heading', { level: 1, name: title }).waitFor();
        await page.getByRole('button', { name: 'Check that none is missing' }).click();
        await page.getByRole('status').filter({ hasText: says }).waitFor();
        await page.getByRole('row', { name: row }).waitFor();
        assert.deepEqual(await barriers(page), []);
        await page.getByText('What this page checked').last().click();
        const coming = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Download the proof' }).last().click();
        const file = join(directory, `${proves}.json`);
        await (await coming).saveAs(file);
        const verified = await quorate(['verify', file, '--genesis', genesisFile, '--json']);
        assert.equal(jsonOf(verified)['proves'], proves);
      }
    });

    await t.test('on a phone tables scroll by themselves, and rows are no towers', async () => {
      const narrow = await visitor.open(api, { width: 360 });
      for (const [place, title, row] of [
        ['records', /^Records$/, 'longlong'],
        ['record/parrots', /^Record$/, /put/],
        [`account/${encodeAddress(developmentKeyPair('alice').publicKey)}`, /^Account alice$/, /reserve/],
      ] as const) {
        await visit(narrow, place, title);
        const shown = narrow.getByRole('row', { name: row }).last();
        await shown.waitFor();
        assert.equal(await narrow.evaluate<number>('document.documentElement.scrollWidth'), 360, place);
        const { height = 0 } = (await shown.boundingBox()) ?? {};
        assert.ok(height > 0 && height < 300, `${place}: a row is ${height} high`);
      }
    });

    await t.test('a key is deleted only after a question that says what is lost', async () => {
      const page = await visitor.open(`${api}/#/keys`);
      await page.getByRole('textbox', { name: 'Name' }).fill('mine');
      await page.getByLabel('Password').fill('long enough');
      await page.getByRole('button', { name: 'Make a key' }).click();
      const address = (await page.locator('td a').getAttribute('title')) ?? '';
      await run('tx', 'transfer', address, '1234');
      const dialog = page.getByRole('dialog', { name: 'Forget mine?' });
      const ask = () => page.getByRole('button', { name: 'Forget mine', exact: true }).click();
      await ask();
      await dialog.getByText('Its 1,234 coins').waitFor();
      await dialog.getByText('nothing brings it back').waitFor();
      // What Enter does without a look is to keep it.
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await ask();
      assert.deepEqual(await barriers(page), []);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await ask();
      const coming = page.waitForEvent('download');
      await dialog.getByRole('button', { name: 'Save its file first' }).click();
      const file = join(directory, 'mine.json');
      await (await coming).saveAs(file);
      await page.getByRole('dialog').waitFor();
      await dialog.getByRole('button', { name: 'Forget mine for ever' }).click();
      await page.getByText('mine', { exact: true }).waitFor({ state: 'detached' });
      await dialog.waitFor({ state: 'detached' });
      await page.reload();
      await page.getByRole('heading', { level: 1, name: 'Keys' }).waitFor();
      assert.equal(await page.getByRole('button', { name: 'Forget mine' }).count(), 0);
      await page.getByLabel('Take a key file from elsewhere').setInputFiles({
        name: 'mine.json',
        mimeType: 'application/json',
        buffer: readFileSync(file),
      });
      assert.equal(await page.locator('td a').getAttribute('title'), address);
    });
    assert.deepEqual(visitor.complaints, []);
  });
}
