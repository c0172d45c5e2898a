import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quorate } from '../cli/quorate.ts';
import { Running } from '../e2e/processes.ts';
import { browserPath, visit, Visitor } from './browser.ts';
import { Proxy } from './proxy.ts';

// Where there is no browser `explorer.test.ts` says so.
if (browserPath !== undefined) {
  const executable = browserPath;
  test('a chain begins anew under the open page', async (t) => {
    const start = async (...args: readonly string[]) => {
      const network = new Running(t, ['testnet', '--base-port', '0', ...args]);
      const { nodes } = await network.event<{ nodes: readonly { api: string }[] }>('ready');
      const api = nodes[0]?.api ?? '';
      const end = async (): Promise<void> => {
        network.child.kill('SIGTERM');
        await network.ended();
      };
      return { api, end };
    };
    const pay = async (api: string) => {
      const ran = await quorate(['tx', 'transfer', 'bob', '5', '--from', 'alice', '--wait', '--node', api]);
      assert.equal(ran.code, 0, ran.err);
    };
    const first = await start();
    const proxy = await Proxy.start(t, first.api);
    const visitor = await Visitor.start(t, executable);
    for (let block = 1; block <= 2; block++) await pay(first.api);
    const page = await visitor.open(proxy.address);
    const warning = page.getByText('was final here, and this node’s chain is without it');
    const shown = () => page.locator('tbody td:first-child').allTextContents();
    await page.getByRole('row', { name: /^2 .*verified/ }).waitFor();

    await t.test(
      'with the same genesis file: what was proven is missed, and the new blocks are shown',
      async () => {
        const again = await start();
        proxy.turnTo(again.api);
        await first.end();
        await warning.waitFor();
        assert.match((await warning.textContent()) ?? '', /^Block 2 was final here/);
        await page.getByRole('row', { name: /^0 .*verified/ }).waitFor();
        assert.deepEqual(await shown(), ['0']);
        await visit(page, 'node', /^This node$/);
        await warning.waitFor();
        await visit(page, '', /^The chain$/);
        for (let block = 1; block <= 3; block++) await pay(again.api);
        await page.getByRole('row', { name: /^3 .*verified/ }).waitFor();
        assert.deepEqual(await shown(), ['3', '2', '1', '0']);
        await warning.waitFor();
        await page.getByRole('button', { name: 'I have seen this' }).click();
        await warning.waitFor({ state: 'detached' });
        await page.getByRole('row', { name: /^0 .*verified/ }).waitFor();
        await again.end();
      },
    );

    await t.test('with another one: nothing is proven until it is taken', async () => {
      const other = await start('--engine', 'raft');
      proxy.turnTo(other.api);
      await page.getByText('This node is on another chain than when this page was opened.').waitFor();
      await pay(other.api);
      await page
        .getByRole('row', { name: /not proven/ })
        .first()
        .waitFor();
      assert.equal(await page.getByRole('row', { name: /verified/ }).count(), 0);
      await page.getByRole('button', { name: 'Take the genesis file of that one' }).click();
      await page.getByRole('row', { name: /^1 .*verified/ }).waitFor();
      assert.equal(await page.getByText('This node is on another chain').count(), 0);
    });

    await t.test('a proven block that comes again is missed no more', async () => {
      await page.getByRole('button', { name: 'I have seen this' }).click();
      let isBehind = true;
      await page.route('**/v1/status', async (route) => {
        const answer = await route.fetch();
        const told = (await answer.json()) as object;
        await route.fulfill({ response: answer, json: isBehind ? { ...told, finalHeight: 0 } : told });
      });
      await page.route('**/v1/headers*', (route) => (isBehind ? route.abort() : route.continue()));
      await warning.waitFor();
      isBehind = false;
      await warning.waitFor({ state: 'detached' });
      await page.unrouteAll({ behavior: 'wait' });
      await page.getByRole('row', { name: /^1 .*verified/ }).waitFor();
    });
  });
}
