import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect } from '@jest/globals';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import type { RunningApp } from './app.js';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const EXECUTABLE = PATHS.find((path) => existsSync(path));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** `describe` where Chromium is installed, as Debian's package or Google's; elsewhere the tests are skipped. */
export const describeInBrowser = EXECUTABLE ? describe : describe.skip;
if (!EXECUTABLE) console.warn('The tests in a browser are skipped: install chromium.');

/** A page, and what the browser reported about it. */
export interface OpenPage {
  page: Page;
  /** Failures of scripts, and what the Content-Security-Policy refused. */
  reports: string[];
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] });
}

/** Opens the data page in a tab with storage of its own, and waits for its rows. */
export async function openPage(
  browser: Browser,
  running: RunningApp,
  address = '/',
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
  return openTab(context, running, address);
}

/** As `openPage`, in a tab that shares its storage with others. */
export async function openTab(
  context: BrowserContext,
  { app }: RunningApp,
  address = '/',
): Promise<OpenPage> {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const reports: string[] = [];
  page.on('pageerror', (error) => reports.push(String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Trusted/i.test(message.text())) reports.push(message.text());
  });
  await page.goto((await app.getUrl()) + address);
  await page.locator('.total:has-text("marathons"), .empty').first().waitFor();
  return { page, reports };
}

/** The texts of a column, from the first row in sight to the last one. */
export async function columnOf(page: Page, column: string): Promise<string[]> {
  return page.locator(`.window .cell.${column}`).allInnerTexts();
}

/** Waits until a column has these texts. */
export async function untilColumn(page: Page, column: string, texts: string[]): Promise<void> {
  await page
    .waitForFunction(
      ([selector, expected]) => {
        const { document } = globalThis as unknown as { document: InnerTexts };
        const cells = [...document.querySelectorAll(selector!)];
        return JSON.stringify(cells.map((cell) => cell.innerText)) === expected;
      },
      [`.window .cell.${column}`, JSON.stringify(texts)],
    )
    // the difference says more than the time
    .catch(async () => expect(await columnOf(page, column)).toEqual(texts));
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
