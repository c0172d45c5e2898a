import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

// Makes the pictures of the README anew, from a testnet under load: npm run pictures. Needs a Chromium.

const root = join(import.meta.dirname, '..');
const target = join(root, 'src/explorer/pictures');
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
  mkdirSync(target, { recursive: true });
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
  }
  await browser.close();
  demo.kill();
} finally {
  network.kill('SIGTERM');
}
