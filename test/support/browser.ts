import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { startApp, type RunningApp } from './app.js';
import { emptyRegistry, store } from './store.js';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = PATHS.find((path) => existsSync(path));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** `describe` where Chromium is installed, as Debian's package or Google's; elsewhere the tests are skipped. */
export const describeInBrowser = EXECUTABLE ? describe : describe.skip;
if (!EXECUTABLE) console.warn('The tests in a browser are skipped: install chromium.');

/** A page, and what the browser reported about it. */
interface OpenPage {
  page: Page;
  /** Failures of scripts, and what the Content-Security-Policy refused. */
  reports: string[];
}

/**
 * Starts the service and a browser for the tests of a `describe`. Before each test the registry has these
 * marathons; after it the tabs are closed, and must have reported nothing.
 */
export class Pages {
  running!: RunningApp;
  private browser!: Browser;
  private opened: OpenPage[] = [];

  constructor(marathons: Parameters<typeof store>[1], settings: Record<string, string> = {}) {
    beforeAll(async () => {
      this.running = await startApp(settings);
      this.browser = await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await this.browser.close();
      await this.running.close();
    });
    beforeEach(async () => {
      await emptyRegistry(this.running);
      await store(this.running, marathons);
    });
    afterEach(async () => this.closeAll());
  }

  get http(): RunningApp['http'] {
    return this.running.http;
  }

  /** Opens the data page in a tab with storage of its own, and waits for its rows. */
  async open(
    address = '/',
    options: BrowserContextOptions = {},
    service = this.running,
  ): Promise<Page> {
    const viewport = { width: 1280, height: 720 };
    const context = await this.browser.newContext({ viewport, ...options });
    return this.openBeside(context, address, service);
  }

  /** As `open`, in a tab that shares its storage with others. */
  async openBeside(context: BrowserContext, address = '/', service = this.running): Promise<Page> {
    const tab = await openTab(context, service, address);
    this.opened.push(tab);
    return tab.page;
  }

  private async closeAll(): Promise<void> {
    const tabs = this.opened;
    this.opened = [];
    for (const { page } of tabs) await page.context().close();
    expect(tabs.flatMap(({ reports }) => reports)).toEqual([]);
  }
}

async function openTab(
  context: BrowserContext,
  { app }: RunningApp,
  address: string,
): Promise<OpenPage> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const reports: string[] = [];
  page.on('pageerror', (error) => reports.push(String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Trusted/i.test(message.text())) reports.push(message.text());
  });
  await page.goto((await app.getUrl()) + address);
  await page.locator('.total:has-text("marathon"), .empty, dialog').first().waitFor();
  return { page, reports };
}

/** The texts of a column, from the first row in sight to the last one. */
export async function columnOf(page: Page, column: string): Promise<string[]> {
  return page.locator(`.window .cell.${column}`).allInnerTexts();
}

/** Waits until a column has these texts. */
export async function untilColumn(page: Page, column: string, texts: string[]): Promise<void> {
  await untilTexts(page, `.window .cell.${column}`, texts);
}

/** Waits until the elements of a selector have these texts. */
export async function untilTexts(page: Page, selector: string, texts: string[]): Promise<void> {
  await page
    .waitForFunction(
      ([elements, expected]) => {
        const { document } = globalThis as unknown as { document: InnerTexts };
        const found = [...document.querySelectorAll(elements!)];
        return JSON.stringify(found.map((element) => element.innerText)) === expected;
      },
      [selector, JSON.stringify(texts)],
    )
    // the difference says more than the time
    .catch(async () => expect(await page.locator(selector).allInnerTexts()).toEqual(texts));
}

/** Waits until no row in sight is still being fetched. */
export async function untilLoaded(page: Page): Promise<void> {
  await page.locator('.window:not(:has(.loading))').waitFor({ state: 'attached' });
}

/** What is used of a document. The types of browsers are not those of Node. */
interface InnerTexts {
  querySelectorAll: (selector: string) => Iterable<{ innerText: string }>;
}

/** What axe (https://github.com/dequelabs/axe-core) finds in a page. */
export async function findBarriers(page: Page): Promise<string[]> {
  // in a world of its own, which the policy of the page does not bind
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  await session.send('Runtime.evaluate', { expression: AXE, contextId });
  const { result } = await session.send('Runtime.evaluate', {
    contextId,
    awaitPromise: true,
    returnByValue: true,
    expression: `axe.run(document).then(({ violations }) => violations.map(({ id, help, nodes }) =>
      id + ': ' + help + ' ' + nodes.map(({ html }) => html.slice(0, 200)).join(' | ')))`,
  });
  return result.value as string[];
}
