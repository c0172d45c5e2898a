import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { jsonOf, quorate } from '../cli/quorate.ts';
import { eventually } from '../support/eventually.ts';
import { Running } from '../e2e/processes.ts';
import { barriers, browserPath, visit, Visitor } from './browser.ts';

/** What a page may make a browser load at most, packed, before it shows itself; and what charts add to that. */
const heaviestBytes = 100_000;
const chartBytes = 30_000;

const run = async (api: string, ...args: readonly string[]) =>
  jsonOf(await quorate([...args, '--wait', '--json', '--node', api]));
const put = (api: string, key: string, value: string) => run(api, 'tx', 'put', key, value, '--from', 'alice');

/** An answer of a node as it comes, to be looked into or to be made wrong. */
interface Told {
  readonly validators: readonly { readonly address: string }[];
  readonly changes: readonly { readonly reason: string }[];
  readonly proposals: readonly { readonly id: string }[];
  readonly blocks: { readonly proposer: string; votes: readonly { readonly validator: string }[] }[];
  readonly evidence: { address: string; contradiction: { messages: { height: number }[] } }[];
}

const told = async (url: string): Promise<Told> => (await (await fetch(url)).json()) as Told;

/** What a page made the browser load of its own files, packed. */
const weightOf = (page: Page) =>
  page.evaluate<number>(
    `performance.getEntries().filter(({ name }) => !name.includes('/v1/')).reduce((sum, { encodedBodySize = 0 }) => sum + encodedBodySize, 0)`,
  );

// Where there is no browser `explorer.test.ts` says so.
if (browserPath !== undefined) {
  const executable = browserPath;
  test('the explorer shows how validators agree, and what changes', async (t) => {
    // The first primary shows each half of the others another block, and is caught.
    const network = new Running(t, ['testnet', '--base-port', '0', '--byzantine', '0:equivocate']);
    const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
    const api = nodes[1]?.api ?? '';
    const visitor = await Visitor.start(t, executable);
    for (const value of ['one\ntwo\nthree', 'one\n2\nthree']) await put(api, 'note', value);

    await t.test(
      'the matrix: who proposed, who signed, how late each vote came, who was missing',
      async () => {
        const page = await visitor.open(`${api}/#/validators`);
        await page
          .getByTitle(/^proposed/)
          .first()
          .waitFor();
        await page
          .getByTitle(/^signed the certificate, \d+ ms after the proposal$/)
          .first()
          .waitFor();
        // A validator that proposed none of them, whose votes did not come, and that no certificate names.
        const { blocks } = await told(`${api}/v1/telemetry/votes`);
        const { validators } = await told(`${api}/v1/validators`);
        const silent = validators.find(
          ({ address }, index) => index !== 1 && blocks.every(({ proposer }) => proposer !== address),
        );
        await page.route('**/v1/blocks/*', async (route) => {
          const answer = await route.fetch();
          await route.fulfill({ response: answer, json: { ...(await answer.json()), certificate: null } });
        });
        await page.route('**/v1/telemetry/votes', async (route) => {
          const answer = await route.fetch();
          const wrong = (await answer.json()) as Told;
          for (const block of wrong.blocks)
            block.votes = block.votes.filter(({ validator }) => validator !== silent?.address);
          await route.fulfill({ response: answer, json: wrong });
        });
        await page.reload();
        await page.locator('td.bad', { hasText: 'missing' }).first().waitFor();
        assert.equal(await page.getByTitle(/^signed/).count(), 0);
      },
    );

    await t.test('the timeline: each change of the view with its reason, newest first', async () => {
      // Whoever was not among the first to leave says that more left than may lie: one of them is asked.
      const suspicious = await eventually('one says why it left', async () => {
        for (const { api: each } of nodes.slice(1)) {
          const { changes } = await told(`${each}/v1/telemetry/views`);
          if (changes.some(({ reason }) => /suspect|contradicted/.test(reason))) return each;
        }
        return undefined;
      });
      const page = await visitor.open(`${suspicious}/#/validators`);
      const rows = page.getByRole('region', { name: 'time, view, primary, why' }).locator('tbody tr');
      await rows.filter({ hasText: 'this node started' }).waitFor();
      await rows
        .filter({ hasText: /nobody.*(suspect|contradicted)/ })
        .first()
        .waitFor();
      await rows
        .filter({ hasText: /validator-\d.*began it after block/ })
        .first()
        .waitFor();
      assert.match((await rows.last().textContent()) ?? '', /this node started/);
    });

    await t.test('evidence: the two messages side by side, each signature checked by the page', async () => {
      const page = await visitor.open(`${api}/#/validators`);
      const found = page.getByRole('region', { name: /^Evidence: double-/ }).first();
      await found.getByText(/Verified by this page: one key signed a .* for each of two blocks/).waitFor();
      assert.deepEqual(
        (await found.getByRole('heading', { level: 4 }).allTextContents()).map((text) => text.split(':')[0]),
        ['The one', 'The other'],
      );
      const hashes = await found.locator('dd a.mono').allTextContents();
      assert.equal(new Set(hashes).size, 2, 'they are for two blocks');
    });

    await t.test('a node that lies of evidence accuses nobody', async () => {
      const page = await visitor.open(api);
      const [other] = (await told(`${api}/v1/validators`)).validators.slice(2);
      for (const lie of [
        (item: Told['evidence'][number]) => void (item.address = other?.address ?? ''),
        (item: Told['evidence'][number]) =>
          item.contradiction.messages.forEach((message) => (message.height += 1)),
      ]) {
        await page.route('**/v1/evidence*', async (route) => {
          const answer = await route.fetch();
          const wrong = (await answer.json()) as Told;
          wrong.evidence.forEach(lie);
          await route.fulfill({ response: answer, json: wrong });
        });
        await visit(page, '', /^The chain$/);
        await visit(page, 'validators', /^Validators$/);
        const box = page.locator('.contradiction').first().getByRole('alert');
        assert.match((await box.textContent()) ?? '', /does not prove that a validator contradicted itself/);
        assert.equal(await page.getByText('Verified by this page').count(), 0);
        await page.unroute('**/v1/evidence*');
      }
    });

    await t.test('charts: drawn when they are opened, in words and as a table too', async () => {
      const page = await visitor.open(api);
      await page.getByRole('heading', { level: 1, name: 'The chain' }).waitFor();
      await page.waitForLoadState();
      const first = await weightOf(page);
      assert.ok(first > 10_000 && first < heaviestBytes, `${first} bytes`);
      await visit(page, 'charts', /^Charts$/);
      await page.getByRole('img', { name: /^Transactions: final [\d.,]+ a second, from/ }).waitFor();
      await page.getByRole('img', { name: /^Delay of votes: validator-\d [\d.,]+ ms/ }).waitFor();
      await page.getByRole('img', { name: /^Memory: process \d+/ }).waitFor();
      await page.locator('.chart canvas').first().waitFor();
      assert.equal(await page.locator('.chart canvas').count(), 9);
      const added = (await weightOf(page)) - first;
      assert.ok(added > 5_000 && added < chartBytes, `charts add ${added} bytes`);
      await page.getByText('The same as a table').click();
      await page.getByRole('columnheader', { name: '99 % within (ms)' }).waitFor();
      await page.getByRole('combobox', { name: 'Time' }).selectOption('hours');
      await page.getByText(/No sample yet|The same as a table/).waitFor();
      await page.getByRole('combobox', { name: 'Time' }).selectOption('minutes');
      await page.getByRole('img', { name: /^Latency/ }).waitFor();
    });

    await t.test('a record: what changed between versions, and each new one when it is watched', async () => {
      const page = await visitor.open(`${api}/#/record/note`);
      const diff = page.getByRole('region', { name: 'Difference between two versions' });
      await diff.locator('.taken', { hasText: '- two' }).waitFor();
      assert.deepEqual(
        (await diff.locator('.diff span').allTextContents()).map((line) => line.trimEnd()),
        ['  one', '- two', '+ 2', '  three'],
      );
      await page.getByLabel('Watch it').check();
      await page.getByText('Watched: version 2 since block').waitFor();
      await put(api, 'note', 'one\n2\nthree\nfour');
      await page.getByText('Watched: version 3 since block').waitFor();
      await diff.locator('.added', { hasText: '+ four' }).waitFor();
      await diff.getByLabel('From version').selectOption('1');
      await diff.locator('.taken', { hasText: '- two' }).waitFor();
      await run(api, 'tx', 'delete', 'note', '--from', 'alice');
      await page.getByText('Watched: there is no such record now.').waitFor();
    });

    await t.test('changes of the chain: proposed, approved, and decided at a height', async () => {
      const page = await visitor.open(`${api}/#/changes`);
      await page.getByText('Nobody proposed a change').waitFor();
      await page.getByRole('heading', { name: 'Rules of the next block' }).waitFor();
      const propose = [
        'chain',
        'propose',
        'limits',
        '--max-transactions',
        '77',
        '--at',
        '+500',
        '--from',
        'validator-1',
      ];
      const listed = await quorate([...propose, '--json', '--node', api]);
      assert.equal(listed.code, 0, listed.out + listed.err);
      const row = page.getByRole('row', { name: /at most 77 transactions/ });
      await row.filter({ hasText: '1 of 3 validator-1' }).waitFor();
      const [{ id } = { id: '' }] = (await told(`${api}/v1/chain/proposals`)).proposals;
      for (const from of ['validator-2', 'validator-3']) {
        const approved = await quorate(['chain', 'approve', id, '--from', from, '--json', '--node', api]);
        assert.equal(approved.code, 0, approved.out + approved.err);
      }
      await row.filter({ hasText: /3 of 3 .*decided at block \d+/ }).waitFor();
      await page.getByRole('heading', { name: 'Decided, to count later' }).waitFor();
    });

    await t.test('this node: whether it works, what it waits for, and what to do', async () => {
      const page = await visitor.open(`${api}/#/node`);
      await page.getByText('It works, and is ready').waitFor();
      await page.route('**/v1/ready', (route) =>
        route.fulfill({
          status: 400,
          contentType: 'application/problem+json',
          json: {
            type: 'urn:quorate:problem:node/behind',
            title: 'x',
            status: 400,
            code: 'node/behind',
            detail: 'the node is 40 blocks behind',
            remedy: 'Wait until it has caught up.',
            details: {},
          },
        }),
      );
      await page.reload();
      await page.getByRole('alert').filter({ hasText: 'Wait until it has caught up.' }).waitFor();
    });

    await t.test('with ears and keys, on a phone, and in the dark', async () => {
      for (const options of [{}, { dark: true }, { width: 360 }]) {
        const page = await visitor.open(api, options);
        for (const [place, title] of [
          ['validators', /^Validators$/],
          ['charts', /^Charts$/],
          ['changes', /^Changes of the chain$/],
          ['record/note', /^Record$/],
          ['node', /^This node$/],
        ] as const) {
          await visit(page, place, title);
          if (place === 'charts') await page.locator('.chart canvas').nth(8).waitFor();
          assert.deepEqual(await barriers(page), [], `${place} ${JSON.stringify(options)}`);
          const width = await page.evaluate<number>('document.documentElement.scrollWidth');
          assert.ok(width <= (options.width ?? 1100), `${place} is ${width} wide`);
        }
      }
      assert.deepEqual(visitor.complaints, []);
    });
  });
}
