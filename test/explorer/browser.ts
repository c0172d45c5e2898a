import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a browser is; undefined where there is none, which is said loudly and is a failure where one is asked for. */
export const browserPath: string | undefined =
  process.env['QUORATE_BROWSER'] ?? places.find((path) => existsSync(path));

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What a browser may take for one step: longer than any machine needs. */
const timeout = 180_000;

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** What the accessibility rules find (WCAG 2.1 A and AA, by axe). It runs beside the page, whose policy lets nothing else in. */
export async function barriers(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate(
    `${axe}; axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })`,
  )) as AxeResult;
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

/** Opens pages for one test, notes what goes wrong in them, and closes them with it. */
export class Visitor {
  /** Errors of the page, violations of its policy among them, and requests to anybody but the node. */
  readonly complaints: string[] = [];
  readonly #browser: Browser;
  #context: BrowserContext | undefined;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(t: TestContext, executablePath: string): Promise<Visitor> {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout });
    t.after(() => browser.close());
    return new Visitor(browser);
  }

  /** One page at a time, in a browser that knows nothing yet: the page before is closed, and asks for nothing any more. */
  async open(
    address: string,
    options: { readonly width?: number; readonly dark?: boolean } = {},
  ): Promise<Page> {
    const { width = 1100, dark = false } = options;
    await this.#context?.close();
    this.#context = await this.#browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
    });
    const page = await this.#context.newPage();
    page.setDefaultTimeout(timeout);
    page.on('console', (message) => {
      // Answers that are problems are no fault of the page, nor are those that a test keeps from it.
      const isAnswer = /^Failed to load resource: (?:.* status of (?:4\d\d|503)|net::ERR_FAILED)/.test(
        message.text(),
      );
      if (message.type() === 'error' && !isAnswer) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(new URL(address).origin) && !request.url().startsWith('blob:')) {
        this.complaints.push(`asked ${request.url()}`);
      }
    });
    await page.goto(address);
    return page;
  }
}

/** Goes to a place within the page, and waits until it is shown with all that it asks for: the one before may look alike. */
export async function visit(page: Page, place: string, title: RegExp): Promise<void> {
  await page.goto(`${new URL(page.url()).origin}/#/${place}`);
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  await page.getByText('Asking the node…').first().waitFor({ state: 'detached' });
}

/** What a page says is wrong. */
export async function complaint(page: Page): Promise<string> {
  return (await page.locator('main [role=alert]').first().textContent()) ?? '';
}
