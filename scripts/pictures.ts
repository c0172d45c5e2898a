import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, type Page } from 'playwright-core';
import { PlayHost } from '../src/playground/host.ts';
import { firstSetting, queryOf, type Setting } from '../src/playground/setting.ts';
import { makeDirectorySync } from '../src/storage/make-directory.ts';

// Makes the pictures of the README anew, from a testnet under load: npm run pictures. Needs a Chromium.

const root = join(import.meta.dirname, '..');
const target = join(root, 'src/explorer/pictures');
const playTarget = join(root, 'src/playground/pictures');
const viewport = { width: 1000, height: 620 };
const executablePath = process.env['QUORATE_BROWSER'] ?? '/usr/bin/chromium';

interface Ready {
  readonly event: string;
  readonly nodes: readonly { readonly api: string }[];
}

async function readyOf(network: ChildProcess): Promise<Ready> {
  for await (const line of createInterface({ input: network.stdout as NodeJS.ReadableStream })) {
    const event = JSON.parse(line) as Ready;
    if (event.event === 'ready') return event;
  }
  throw new Error('the testnet ended before it was ready');
}

/** Four nodes, the first of which lies: the moment after it was caught, when the next block is voted for. */
async function liarCaught(): Promise<string> {
  const setting: Setting = { ...firstSetting, nodes: ['equivocate', null, null, null] };
  const host = new PlayHost(setting);
  for (let ms = 0; ; ms += 5) {
    await host.playTo(ms);
    const { carried, nodes } = host.look();
    const isLate = nodes.every(({ inside }) => (inside?.view ?? 0) > 0);
    const kinds = new Set(carried.map(({ kind }) => kind));
    if (isLate && kinds.has('prepare') && kinds.has('commit'))
      return queryOf(setting, { event: host.events });
    if (ms > 60_000) throw new Error('the liar was not caught within a minute of virtual time');
  }
}

/** What is below the lessons, which are a picture of words. */
async function picturePlay(page: Page, query: string, path: string): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/play/${encodeURIComponent(query)}`);
  await page.locator('.message').first().waitFor();
  await page.getByRole('button', { name: 'look into node 2' }).click();
  await page.getByRole('region', { name: 'Node 2' }).waitFor();
  await page.evaluate('document.querySelector(".play").scrollIntoView(); scrollBy(0, -52)');
  await page.screenshot({ path });
}

const network = spawn(join(root, 'scripts/quorate'), ['testnet', '--base-port', '0', '--json'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const { nodes } = await readyOf(network);
  const apis = nodes.map(({ api }) => api);
  const demo = spawn(
    process.execPath,
    [join(root, 'scripts/demo.ts'), '--nodes', apis.join(), '--count', '30000'],
    {
      stdio: 'ignore',
    },
  );
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  for (const place of [target, playTarget]) makeDirectorySync(place);
  const query = await liarCaught();
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    await page.goto(apis[0] ?? '');
    await page
      .getByRole('row', { name: /verified/ })
      .nth(8)
      .waitFor({ timeout: 30_000 });
    await page.waitForTimeout(4_000);
    await page.locator('tbody tr', { hasText: 'verified' }).first().waitFor();
    await page.locator('tbody tr').nth(2).filter({ hasText: 'verified' }).waitFor();
    await page.screenshot({ path: join(target, `chain-${colorScheme}.png`) });
    await picturePlay(page, query, join(playTarget, `ring-${colorScheme}.png`));
  }
  await browser.close();
  demo.kill();
} finally {
  network.kill('SIGTERM');
}
