import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { encodeAddress } from '../../src/crypto/address.ts';
import { developmentKeyPair } from '../../src/crypto/development-keys.ts';
import { conditionKinds, operationKinds } from '../../src/explorer/part-kinds.ts';
import { jsonOf, quorate } from '../cli/quorate.ts';
import { Running } from '../e2e/processes.ts';
import { barriers, browserPath, visit, Visitor } from './browser.ts';

const addressOf = (name: string) => encodeAddress(developmentKeyPair(name).publicKey);
const sha256OfA = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';

/** Chooses a kind in a form, fills its fields, and adds the part. */
async function add(
  page: Page,
  form: 'Do this' | 'Only if',
  kind: string,
  fields: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  const place = page.getByRole('form', { name: form });
  await place.getByLabel(form).selectOption(kind);
  for (const [label, value] of Object.entries(fields)) {
    const field = place.getByLabel(label, { exact: true });
    if (typeof value === 'boolean') await field.setChecked(value);
    else if ((await field.locator('option').count()) > 0) await field.selectOption(value);
    else await field.fill(value);
  }
  const parts = page.getByRole('list', { name: form === 'Do this' ? 'Operations to send' : 'Conditions' });
  const before = await parts.getByRole('listitem').count();
  await place.getByRole('button').click();
  await parts.getByRole('listitem').nth(before).waitFor();
}

/** Signs and sends, and waits for what came of it. */
async function sent(page: Page, became: RegExp = /applied in block/): Promise<void> {
  await page.getByRole('button', { name: 'Sign and send' }).click();
  const end = page.getByText('its receipt verified by this page').or(page.getByRole('alert')).first();
  await end.waitFor();
  assert.match((await end.textContent()) ?? '', became);
}

// Where there is no browser `explorer.test.ts` says so.
if (browserPath !== undefined) {
  const executable = browserPath;
  test('a transaction of any kind is put together in the page', async (t) => {
    const network = new Running(t, ['testnet', '--base-port', '0']);
    const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
    const [{ api } = { api: '' }] = nodes;
    const visitor = await Visitor.start(t, executable);
    const read = async (...args: readonly string[]) =>
      jsonOf(await quorate([...args, '--json', '--node', api]));
    const fresh = async (from: string): Promise<Page> => {
      const page = await visitor.open(`${api}/#/send`);
      await page.getByLabel('From').selectOption(from);
      return page;
    };
    const more = (page: Page) =>
      page.getByText('Reference, nonce, expiry, another account, more signers').click();

    await t.test('records, a namespace and a payment in one, under conditions', async () => {
      const page = await fresh('alice');
      await add(page, 'Do this', 'open a namespace', {
        namespace: 'shop',
        mode: 'writers',
        writers: `alice, ${addressOf('bob')}`,
      });
      await add(page, 'Do this', 'write a record', { record: 'shop/a', with: 'a' });
      await add(page, 'Do this', 'write a record in bytes', { record: 'shop/b', 'in hex': 'ff00' });
      await add(page, 'Do this', 'write a record', { record: 'mine', with: 'two\nlines' });
      await add(page, 'Do this', 'delete a record', { record: 'shop/a' });
      await add(page, 'Do this', 'give a record away', { record: 'mine', to: 'carol' });
      await add(page, 'Do this', 'pay', {
        amount: '1,000',
        to: 'carol',
        'with the words (or nothing)': 'for you',
      });
      await page.getByText('Only if something holds').click();
      await add(page, 'Only if', 'there is no such record', { record: 'shop/a' });
      await add(page, 'Only if', 'an account has enough', { account: 'alice', 'at least': '1000' });
      await add(page, 'Only if', 'it is not too high', { 'at most block': '+50' });
      await add(page, 'Only if', 'it is not too late', { 'at most': '2100-01-01T00:00:00Z' });
      await more(page);
      await page.getByLabel('Reference of your own').fill('order 7');
      assert.deepEqual(await barriers(page), []);
      // Only from protocol version 2 on; what was refused stays to be mended.
      await sent(page, /not do under protocol version 1/);
      await page.getByRole('listitem').filter({ hasText: 'its block is of' }).getByRole('button').click();
      await sent(page);
      assert.equal(await page.getByRole('list', { name: 'Conditions' }).getByRole('listitem').count(), 0);
      assert.equal((await read('get', 'shop/b'))['value'], 'ff00');
      assert.equal((await read('get', 'mine'))['owner'], addressOf('carol'));
      await page.locator('section h2 a').click();
      await page.getByRole('heading', { level: 1, name: 'Transaction verified' }).waitFor();
      await page.getByText('there is no record shop/a').waitFor();
      assert.equal(await page.locator('.lines', { hasText: 'two' }).textContent(), 'two\nlines');
      await page.getByRole('link', { name: 'order 7' }).click();
      await page.getByRole('heading', { level: 1, name: 'Reference' }).waitFor();
    });

    await t.test('every condition, and one that does not hold', async () => {
      const page = await fresh('alice');
      await add(page, 'Do this', 'write a record', { record: 'free', with: 'a' });
      await sent(page);
      await add(page, 'Do this', 'pay', { amount: '1', to: 'bob' });
      await page.getByText('Only if something holds').click();
      await add(page, 'Only if', 'there is such a record', { record: 'free' });
      await add(page, 'Only if', 'a record has a value', {
        record: 'free',
        'SHA-256 of the value': sha256OfA,
      });
      await add(page, 'Only if', 'a record is in a version', { record: 'free', version: '2' });
      await sent(page, /failed: condition\/record-version at condition 2; found version 1/);
      // That it failed is what is verified, here and on its own page.
      const told = page.getByText('verified: it failed');
      await told.waitFor();
      assert.equal(await page.locator('section .tick.good').count(), 0);
      await page.locator('section h2 a').click();
      await page.getByRole('heading', { name: /^Transaction/ }).waitFor();
      await told.waitFor();
    });

    await t.test('coins set aside, taken and let go of', async () => {
      const page = await fresh('alice');
      for (const amount of ['70', '80']) {
        await add(page, 'Do this', 'set coins aside', { amount, for: 'bob', 'until block': '+500' });
      }
      await sent(page);
      const nonce = Number((await read('account', 'alice'))['nonce']) - 1;
      const other = await fresh('bob');
      await add(other, 'Do this', 'take what was set aside', {
        reservation: `${addressOf('alice')}:${nonce}:0`,
        amount: '30',
      });
      await add(other, 'Do this', 'let go of what was set aside', {
        reservation: `${addressOf('alice')}:${nonce}:1`,
      });
      await sent(other);
      assert.equal((await read('account', 'alice'))['held'], '0');
    });

    await t.test('a namespace that changes, and an account with other keys and two signers', async () => {
      const page = await fresh('alice');
      await add(page, 'Do this', 'change a namespace', {
        namespace: 'shop',
        'new owner (or nothing)': 'carol',
      });
      await add(page, 'Do this', 'change who signs for the account', {
        'how many sign': '2',
        'of these keys': 'bob carol',
        'without a proof that they are held': true,
      });
      await sent(page);
      assert.equal((await read('namespace', 'show', 'shop'))['owner'], addressOf('carol'));
      const two = await fresh('bob');
      await more(two);
      await two.getByLabel('Account, if it is not the key’s own').fill('alice');
      await add(two, 'Do this', 'pay', { amount: '9', to: 'carol' });
      await two.getByRole('button', { name: 'Sign and send' }).click();
      await two.getByRole('alert').waitFor();
      await two.getByRole('button', { name: 'Let another key sign too' }).click();
      await two.getByLabel('Also signed by').selectOption('carol');
      await sent(two);
      await two.locator('section h2 a').click();
      await two.locator('dd a', { hasText: 'alice' }).waitFor();
    });

    await t.test('changes of the chain, proposed and approved', async () => {
      const page = await fresh('validator-0');
      await add(page, 'Do this', 'propose limits of a block', {
        transactions: '500',
        operations: '2000',
        bytes: '700000',
        'to be approved until block': '+400',
      });
      await sent(page);
      const instead = {
        'to be approved until block': '+400',
        'in the place of my open proposal': true,
      };
      await add(page, 'Do this', 'propose a fee floor', {
        'for each operation': '1',
        'from block (or nothing)': '+600',
        ...instead,
      });
      await sent(page, /failed: change\/fee-not-payable/);
      await page.getByText('What to do:').waitFor();
      await add(page, 'Do this', 'propose other validators (PBFT)', {
        'all of them, in order': 'validator-0 validator-1 validator-2 validator-3',
        ...instead,
      });
      await sent(page, /failed: change\/nothing-changes/);
      await add(page, 'Do this', 'propose a protocol version', {
        version: '2',
        'from block': '+600',
        ...instead,
      });
      await sent(page);
      const { proposals } = (await read('chain', 'status')) as {
        proposals: readonly { id: string; status: string; change: { type: string } }[];
      };
      const open = proposals.find(({ change }) => change.type === 'protocol-version');
      for (const name of ['validator-1', 'validator-2']) {
        const approver = await fresh(name);
        await add(approver, 'Do this', 'approve a proposal', { 'its id': String(open?.id) });
        await sent(approver);
      }
      const { proposals: after } = (await read('chain', 'status')) as { proposals: typeof proposals };
      assert.equal(after.find(({ id }) => id === open?.id)?.status, 'decided');
    });

    await t.test('as JSON, there and back', async () => {
      const page = await fresh('carol');
      await page.getByText('As JSON').click();
      const text = page.getByLabel('What is to be done');
      const take = page.getByRole('button', { name: 'Take this instead' });
      for (const [wrong, why] of [
        ['{', 'that is no JSON'],
        ['{"operations": []}', 'operations is empty'],
        ['{"operations": [{"type": "delete", "kay": "x"}]}', 'unknown field "kay"'],
      ] as const) {
        await text.fill(wrong);
        await take.click();
        await page.getByRole('alert').filter({ hasText: why }).waitFor();
      }
      await text.fill(
        JSON.stringify({
          operations: [{ type: 'put', key: 'json', text: 'here' }],
          conditions: [{ type: 'record-absent', key: 'json' }],
          reference: 'ff00',
        }),
      );
      await take.click();
      await page.getByText('there is no record json').waitFor();
      assert.equal(await page.getByRole('alert').count(), 0);
      await page.getByRole('button', { name: 'Show what is put together' }).click();
      assert.deepEqual(JSON.parse(await text.inputValue()), {
        operations: [{ type: 'put', key: 'json', value: '68657265' }],
        conditions: [{ type: 'record-absent', key: 'json' }],
        reference: 'ff00',
      });
      await sent(page);
      assert.equal((await read('get', 'json'))['value'], '68657265');
    });

    await t.test('what is wrong with a field is said before anything is signed', async () => {
      const page = await fresh('alice');
      const form = page.getByRole('form', { name: 'Do this' });
      const refused = async (kind: string, label: string, value: string, why: RegExp): Promise<void> => {
        await form.getByLabel('Do this').selectOption(kind);
        for (const input of await form.locator('input:not([type=checkbox])').all()) await input.fill('1');
        await form.getByLabel(label, { exact: true }).fill(value);
        await form.getByRole('button').click();
        await page.getByRole('alert').filter({ hasText: why }).waitFor();
      };
      await refused('pay', 'to', 'nobody', /operation\.to: the address "nobody"/);
      await refused('take what was set aside', 'reservation', 'x', /operation\.reservation/);
      await refused('approve a proposal', 'its id', '12', /operation\.proposal is no hash/);
      await refused(
        'write a record in bytes',
        'in hex',
        'XY',
        /operation\.value is no text of lower-case hex/,
      );
      assert.equal(await page.getByRole('list', { name: 'Operations to send' }).locator('li').count(), 0);
      // A nonce of one's own is taken at its word: this one is used already.
      const other = await fresh('carol');
      await more(other);
      await other.getByLabel('Nonce, if not the next one').fill('0');
      await add(other, 'Do this', 'pay', { amount: '1', to: 'bob' });
      await sent(other, /nonce/);
      await other.getByLabel('Nonce, if not the next one').fill('');
      await sent(other);
    });

    await t.test('every kind has a form that can be used on a phone and with ears', async () => {
      const page = await visitor.open(`${api}/#/send`, { width: 360 });
      await visit(page, 'send', /^Send a transaction$/);
      await page.getByText('Only if something holds').click();
      await page.getByText('As JSON').click();
      await more(page);
      await page.getByRole('button', { name: 'Let another key sign too' }).click();
      for (const [form, kinds] of [
        ['Do this', operationKinds],
        ['Only if', conditionKinds],
      ] as const) {
        for (const { label } of kinds) {
          await page.getByRole('form', { name: form }).getByLabel(form).selectOption(label);
          assert.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 360, label);
        }
        assert.deepEqual(await barriers(page), []);
      }
    });

    await t.test('the matrix of many blocks scrolls by itself on a phone', async () => {
      const page = await visitor.open(`${api}/#/validators`, { width: 360 });
      const last = page.locator('.matrix tbody tr').last().locator('td').nth(12);
      await last.waitFor();
      assert.ok(((await last.boundingBox())?.x ?? 0) > 360, 'it is wider than the page');
      assert.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 360);
    });
    assert.deepEqual(visitor.complaints, []);
  });
}
