import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import type { Scene } from '../../src/playground/lessons/lesson.ts';
import { lessons } from '../../src/playground/lessons/list.ts';
import { firstSetting, queryOf } from '../../src/playground/setting.ts';
import { unwrap } from '../../src/base/problem.ts';
import { parsePlan } from '../../src/simulator/plan/plan-file.ts';
import { drawPlan } from '../../src/simulator/plan/draw-plan.ts';
import { simulate } from '../../src/simulator/run/simulation.ts';
import { temporaryDirectory } from '../cli/quorate.ts';
import { barriers, browserPath, Visitor } from '../explorer/browser.ts';

const script = join(import.meta.dirname, '../../scripts/build-web.ts');
const regressions = join(import.meta.dirname, '../simulator/regressions');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Builds the static site as a person does, somewhere else, and by a name from there. */
async function builtSite(t: TestContext): Promise<string> {
  const elsewhere = temporaryDirectory(t);
  const run = promisify(execFile);
  const env = { ...process.env, INIT_CWD: elsewhere };
  const { stdout } = await run(process.execPath, [script, '--static', 'a/site'], { cwd: elsewhere, env });
  assert.equal(stdout, `The playground is built: ${join(elsewhere, 'a/site')}\n`);
  return join(elsewhere, 'a/site');
}

/** Files and no more, from a path that is not the root, as any web server gives them. */
async function serve(t: TestContext, directory: string): Promise<string> {
  const names = new Set(readdirSync(directory));
  const server = createServer((request, response) => {
    const name = /^\/some\/where\/([\w.-]*)$/.exec(request.url ?? '')?.[1];
    const file = name === '' ? 'index.html' : (name ?? '');
    if (!names.has(file)) response.writeHead(404).end();
    else {
      response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain' });
      response.end(readFileSync(join(directory, file)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/`;
}

/** Until what is shown is what was asked for. */
const settled = (page: Page) =>
  page.getByRole('group', { name: 'Time' }).and(page.locator(':not([aria-busy])')).waitFor();
const eventsOf = async (page: Page): Promise<number> =>
  Number(/(\d+) events/.exec((await page.locator('p.number').textContent()) ?? '')?.[1]);
/** A row of the table of all nodes, by the number of the node. */
const rowOf = (page: Page, node: number) =>
  page.getByRole('region', { name: 'All nodes' }).locator('tbody tr').nth(node);

async function pause(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause' }).click();
  await settled(page);
}

/** What a scene says that it comes to, as the page shows it. */
async function comesTo(page: Page, { name, comesTo: { breach, x } }: Scene): Promise<void> {
  if (breach === undefined) {
    assert.equal(await page.getByText('A promise is broken').count(), 0, name);
  } else {
    await page.getByText(`A promise is broken (${breach.guarantee}).`).waitFor();
    await page.getByText(`Signed for both: node ${breach.signedBoth.join(', node ')}.`).waitFor();
  }
  for (const [node, value] of (x ?? []).entries()) {
    const cells = await rowOf(page, node).getByRole('cell').allTextContents();
    assert.equal(cells[2], typeof value === 'number' ? `${value}` : '–', `${name}: x at node ${node}`);
    assert.equal(cells[0]?.includes('down'), value === 'down', `${name}: node ${node}`);
  }
}

if (browserPath === undefined) {
  console.error(
    'NO BROWSER: the playground was not looked at. Install chromium, or name one in QUORATE_BROWSER.',
  );
} else {
  const executable = browserPath;
  test('the playground as a static site', async (t) => {
    const site = await builtSite(t);
    const address = await serve(t, site);
    const visitor = await Visitor.start(t, executable);
    const opened = (query: string) => visitor.open(`${address}#/play/${encodeURIComponent(query)}`);

    await t.test('has no file that asks for another place, and no style or script within the page', () => {
      const page = readFileSync(join(site, 'index.html'), 'utf8');
      assert.deepEqual(readdirSync(site).toSorted(), [
        'app.css',
        'icon.svg',
        'index.html',
        'playground.js',
        'static.js',
      ]);
      for (const [, link = ''] of page.matchAll(/(?:href|src)="([^"]*)"/g)) assert.match(link, /^[\w.-]+$/);
      assert.match(page, /default-src 'none'/);
      assert.doesNotMatch(page, /<style|<script>|style=/);
    });

    await t.test('has the trace of quorate simulate under the same seed', async () => {
      const page = await opened(queryOf({ ...firstSetting, plan: 'drawn', engine: 'raft', seed: 5 }));
      await page.getByLabel('Speed').selectOption('4');
      const { verdict } = await simulate({ ...drawPlan(5, 'raft'), signatures: 'fast' });
      await page.getByText(verdict.trace).waitFor();
    });

    await t.test('opens a kept plan, chosen or dropped, which then stands in the address', async () => {
      const page = await visitor.open(address);
      const picker = page.getByLabel(/^A plan that/);
      const choose = (text: string) =>
        picker.setInputFiles({ name: 'plan.json', mimeType: 'application/json', buffer: Buffer.from(text) });
      const kept = readFileSync(join(regressions, 'progress-star.json'), 'utf8');
      const plan = unwrap(parsePlan(kept));
      for (const [text, why] of [
        ['{', /is not JSON/],
        ['\u0000\u0001', /is not JSON/],
        ['[]', /is wrong at/],
        [JSON.stringify({ plan: { ...plan, healAt: 'soon' } }), /is wrong at healAt/],
        [JSON.stringify({ plan: { ...plan, engine: 'raft' } }), /no timing of raft/],
        [' '.repeat(70_000), /70000 characters: too many/],
      ] as const) {
        await choose(text);
        const alert = page.getByRole('alert').filter({ hasText: why });
        await alert.waitFor();
        await alert.getByText('simulator/plan').waitFor();
        await alert.getByText('quorate simulate').waitFor();
        assert.equal(await page.getByLabel('Happens').inputValue(), 'calm', 'what was played goes on');
      }
      await choose(kept);
      const isKept = page.locator('option[value=kept]');
      await isKept.waitFor({ state: 'attached' });
      await rowOf(page, plan.nodes.length - 1).waitFor();
      assert.equal(await page.getByRole('alert').count(), 0);
      assert.equal(await page.getByLabel('Happens').inputValue(), 'kept');
      await page.getByLabel('Speed').selectOption('4');
      const { verdict } = await simulate({ ...plan, signatures: 'fast' });
      await page.getByText(verdict.trace).waitFor();
      await page.reload();
      await isKept.waitFor({ state: 'attached' });
      await page.getByLabel('Happens').selectOption('what I do');
      await isKept.waitFor({ state: 'detached' });
      await page.evaluate(`
        const data = new DataTransfer();
        data.items.add(new File([${JSON.stringify(kept)}], 'plan.json'));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      `);
      await isKept.waitFor({ state: 'attached' });
      const wrong = await opened('plan=kept&kept=%7B%7D');
      await wrong.getByRole('alert').getByText('the plan is wrong at').waitFor();
    });

    await t.test('plays every scene of every lesson to its end', async () => {
      const page = await visitor.open(address);
      for (const lesson of lessons) {
        await page
          .getByRole('navigation', { name: 'Lessons' })
          .getByRole('link', { name: lesson.title })
          .click();
        const panel = page.getByRole('region', { name: `Lesson: ${lesson.title}` });
        await panel.waitFor();
        await panel.getByText('An answer, and how to try it').click();
        for (const scene of [lesson.scene, ...lesson.tries]) {
          await panel.getByRole('button', { name: `To its end: ${scene.name}`, exact: true }).click();
          await settled(page);
          await comesTo(page, scene);
        }
      }
    });

    await t.test('a primary is made to lie, and the page shows why nothing breaks', async () => {
      const page = await visitor.open(address);
      await page.getByLabel('Speed').selectOption('1');
      await rowOf(page, 1).getByText('at height 2').waitFor();
      await page.locator('[data-node="0"]').click();
      await page.getByLabel('Follows').selectOption('equivocate');
      await page.getByText('by hand: node 0 begins to lie: equivocate').waitFor();
      await rowOf(page, 1).getByText('primary').waitFor();
      await page.getByRole('button', { name: 'look into node 1' }).press('Enter');
      await page
        .getByRole('region', { name: 'Node 1' })
        .getByText('has proof against 0: double-pre-prepare')
        .waitFor();
      await pause(page);
      await page.getByText('all promises held after each event').waitFor();
      await page.waitForURL(/lie%3A0%3Aequivocate|lie%253A0%253Aequivocate/);
    });

    await t.test(
      'what is done to nodes and links is shown, can be gone back from, and stands in the address',
      async () => {
        // All nodes have started by then, and the run stands still.
        const page = await opened(queryOf({ ...firstSetting, load: 'none' }, { event: 100 }));
        await rowOf(page, 2).getByText('backup').waitFor();
        await page.getByRole('button', { name: 'Write' }).click();
        await settled(page);
        const before = await eventsOf(page);
        await page.getByRole('button', { name: 'One event' }).click();
        await settled(page);
        assert.equal(await eventsOf(page), before + 1);
        await page.getByRole('button', { name: 'One back' }).click();
        await settled(page);
        assert.equal(await eventsOf(page), before);
        await page.locator('[data-link="0-1"]').click({ force: true });
        await page.getByRole('button', { name: 'link 0–1 is cut: mend it' }).waitFor();
        await page.getByRole('button', { name: 'look into node 2' }).click();
        await page.getByLabel(/^Clock/).fill('30');
        await page.getByText('Clock +30 s').waitFor();
        await page.getByRole('button', { name: 'Lose power' }).click();
        await page.getByRole('button', { name: 'Start' }).waitFor();
        await page.getByRole('button', { name: 'prepare', exact: true }).click();
        await page.getByRole('button', { name: 'prepare, held back' }).waitFor();
        await settled(page);
        const after = await eventsOf(page);
        await page.getByLabel('Moment').fill('0');
        await settled(page);
        assert.ok((await eventsOf(page)) < before);
        const query = decodeURIComponent(new URL(page.url()).hash.slice('#/play/'.length));
        for (const act of ['write:0:5', 'cut:0:1', 'clock:2:30000', 'lose:2', 'hold:prepare']) {
          assert.ok(decodeURIComponent(query).includes(act), `${act} of ${query}`);
        }
        const again = await opened(`${query}&event=${after}`);
        await again.getByRole('button', { name: 'link 0–1 is cut: mend it' }).waitFor();
        await again.getByRole('button', { name: 'prepare, held back' }).waitFor();
        await rowOf(again, 2).getByText('down').first().waitFor();
      },
    );

    await t.test('an address that is wrong says what, and the first setting is played', async () => {
      const page = await opened('engine=paxos');
      await page.getByRole('alert').getByText('engine must be pbft or raft').waitFor();
      await rowOf(page, 3).waitFor();
    });

    await t.test('can be used with ears and keys, on a phone, and in the dark', async () => {
      for (const options of [{}, { dark: true }, { width: 360 }]) {
        const { setting } = lessons.find(({ id }) => id === 'quorums')?.scene ?? { setting: firstSetting };
        const place = `${address}#/play/${encodeURIComponent(queryOf(setting, { event: 400, lesson: 'quorums' }))}`;
        const page = await visitor.open(place, options);
        await rowOf(page, 4).waitFor();
        await page.getByText('An answer, and how to try it').click();
        assert.deepEqual(await barriers(page), [], JSON.stringify(options));
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= (options.width ?? 1100), `${width} wide`);
        await page.getByRole('link', { name: 'Why 3f + 1' }).click();
        await page.getByRole('button', { name: 'To its end: Three nodes, one liar' }).press('Enter');
        await page.getByText('Signed for both: node 0.').waitFor();
        assert.deepEqual(await barriers(page), [], JSON.stringify(options));
      }
    });

    await t.test('reckons quorums', async () => {
      const page = await opened('lesson=quorums');
      await page.getByLabel('W, a write reaches').fill('2');
      await page.getByText('No: a read can miss the last write: 3 + 2 is not more than 5').waitFor();
      await page.getByLabel('R, a read asks').fill('4');
      await page.getByText('Yes: every read meets the last write, in at least 1 of 5').waitFor();
    });

    await t.test('who asked for less motion begins it by hand', async () => {
      const page = await visitor.open(address);
      await page.emulateMedia({ reducedMotion: 'reduce' });
      await page.reload();
      await page.getByRole('button', { name: 'Play' }).waitFor();
      assert.equal(await eventsOf(page), 0);
    });

    await t.test('asks nobody else, and breaks no rule of its policy', () => {
      assert.deepEqual(visitor.complaints, []);
    });
  });
}

test('the site is built where it is told, and nowhere for a word that it does not know', async (t) => {
  const run = promisify(execFile);
  const cwd = temporaryDirectory(t);
  for (const args of [['--static'], ['--statick', 'x'], ['--static', '']]) {
    await assert.rejects(
      run(process.execPath, [script, ...args], { cwd }),
      ({ code, stderr }: { code: number; stderr: string }) => {
        assert.equal(code, 2);
        assert.match(stderr, /npm run build:web -- --static DIR/);
        return true;
      },
    );
  }
  assert.deepEqual(readdirSync(cwd), []);
});
