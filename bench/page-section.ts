import { existsSync, readFileSync } from 'node:fs';
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';
import type { Options } from './options.js';
import { importRows, OURS, startPeer } from './peers.js';
import { query, type BenchServer } from './postgres.js';
import { median, type Say, type Section } from './report.js';
import { untilIndexed } from './search-index.js';

const CHROMIUM = '/usr/bin/chromium';
const ROWS = 1_000_000;
const CITIES = 19_000;
const WHEEL_STEPS = 150;
const PLACES = new URL('../../dist/places.tsv', import.meta.url);
const REQUESTS = {
  'GET /marathon/stats': '/marathon/stats',
  'GET /marathon/map': '/marathon/map',
  'a search of two letters': '/marathon/?q=ma&limit=100',
  'a search of two letters that finds nothing': '/marathon/?q=qx&limit=100',
  'a search of a frequent word and a rare one': '/marathon/?q=marathon+qx&limit=100',
};

interface Visit {
  /** Kilobytes of markup, script and style, as they were sent. */
  firstLoadKb: number;
  firstRowsMs: number;
  openingTaskMs: number;
  scrollingTaskMs: number;
  typingTaskMs: number;
  layoutShift: number;
}

/** The data page in Chromium, with a million rows behind it. */
export async function measurePage(
  server: BenchServer,
  { rounds }: Options,
  say: Say,
): Promise<Section[]> {
  if (!existsSync(CHROMIUM)) return [];
  const peer = await startPeer(server, OURS, 0);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    say('the page: a million rows are imported');
    await importRows(peer, writeRows());
    say('the page: the search index is built');
    await untilIndexed(peer.databaseUrl);
    await query(peer.databaseUrl, 'VACUUM ANALYZE marathon');
    const visits: Visit[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      say(`the page: visit ${round} of ${rounds}`);
      visits.push(await visit(browser, peer.url));
    }
    return [describeVisits(visits), await measureRequests(peer.url, rounds)];
  } finally {
    await browser.close();
    await peer.stop();
  }
}

/** Names of real cities, so that the map has dots. */
function writeRows(): string {
  const places = readFileSync(PLACES, 'utf8').split('\n');
  const step = Math.floor(places.length / CITIES);
  const lines = ['name,city,inception_year'];
  for (let n = 1; n <= ROWS; n += 1) {
    const city = places[((n * n) % CITIES) * step]!.split('\t')[1]!.slice(0, 50);
    lines.push(`"${city} Marathon ${n}","${city}",${1900 + (n % 120)}`);
  }
  return lines.join('\n');
}

async function visit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(observe);
    const sizes = await measureSizes(await context.newCDPSession(page));
    await page.goto(url);
    await page.locator('.window .cell.name').first().waitFor();
    await page.locator('.anniversaries').waitFor();
    const opening = await page.evaluate(takeFigures);
    await page.mouse.move(400, 400);
    for (let step = 0; step < WHEEL_STEPS; step += 1) await page.mouse.wheel(0, 400);
    await page.locator('.window:not(:has(.loading))').waitFor({ state: 'attached' });
    const scrolling = await page.evaluate(takeFigures);
    const typing = await type(page);
    return {
      firstLoadKb: sizes() / 1000,
      firstRowsMs: opening.firstRowsMs,
      openingTaskMs: opening.longestTaskMs,
      scrollingTaskMs: scrolling.longestTaskMs,
      typingTaskMs: typing.longestTaskMs,
      layoutShift: typing.layoutShift,
    };
  } finally {
    await context.close();
  }
}

async function type(page: Page): Promise<Figures> {
  await page.keyboard.press('/');
  await page.keyboard.type('marathon 77', { delay: 60 });
  await page.locator('.window mark').first().waitFor();
  return page.evaluate(takeFigures);
}

/** Adds up the bytes of markup, script and style. */
async function measureSizes(session: CDPSession): Promise<() => number> {
  const types = new Set(['Document', 'Script', 'Stylesheet']);
  const counted = new Set<string>();
  let bytes = 0;
  await session.send('Network.enable');
  session.on('Network.responseReceived', ({ requestId, type: kind }) => {
    if (types.has(kind)) counted.add(requestId);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (counted.has(requestId)) bytes += encodedDataLength;
  });
  return () => bytes;
}

interface Figures {
  firstRowsMs: number;
  longestTaskMs: number;
  layoutShift: number;
}

/** What is used of a window. The types of browsers are not those of Node. */
interface Observed {
  figures: Figures;
  document: { querySelector: (selector: string) => unknown };
  requestAnimationFrame: (work: () => void) => void;
}

/** Runs in the page. Tasks of more than 50 ms are reported by the browser. */
function observe(): void {
  const page = globalThis as unknown as Observed;
  const figures = { firstRowsMs: 0, longestTaskMs: 0, layoutShift: 0 };
  page.figures = figures;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries())
      figures.longestTaskMs = Math.max(figures.longestTaskMs, duration);
  }).observe({ type: 'longtask' as never, buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { value, hadRecentInput } = entry as unknown as {
        value: number;
        hadRecentInput: boolean;
      };
      if (!hadRecentInput) figures.layoutShift += value;
    }
  }).observe({ type: 'layout-shift' as never, buffered: true });
  const look = () => {
    if (page.document.querySelector('.window .cell.name bdi'))
      figures.firstRowsMs = performance.now();
    else page.requestAnimationFrame(look);
  };
  page.requestAnimationFrame(look);
}

/** Runs in the page. The next figures begin at 0, besides the layout shift. */
function takeFigures(): Figures {
  const { figures } = globalThis as unknown as Observed;
  const taken = { ...figures };
  figures.longestTaskMs = 0;
  return taken;
}

function describeVisits(visits: Visit[]): Section {
  const row = (name: string, key: keyof Visit, digits: number) => {
    const values = visits.map((each) => each[key]);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return [name, ...[median(values), least, most].map((value) => value.toFixed(digits))];
  };
  return {
    title: 'The data page in Chromium, with a million rows behind it',
    about: `Medians of ${visits.length} visits with an empty cache. A task of 0 ms is one of less than 50 ms, which the browser does not report. The shift of the layout is that of the whole visit: opening, ${WHEEL_STEPS} steps of the wheel, a search while typing.`,
    columns: ['', 'median', 'least', 'most'],
    rows: [
      row('first load: markup, script, style, KB', 'firstLoadKb', 1),
      row('first rows after, ms', 'firstRowsMs', 0),
      row('longest task while opening, ms', 'openingTaskMs', 0),
      row('longest task while scrolling, ms', 'scrollingTaskMs', 0),
      row('longest task while typing, ms', 'typingTaskMs', 0),
      row('layout shift', 'layoutShift', 4),
    ],
  };
}

async function measureRequests(url: string, rounds: number): Promise<Section> {
  const rows = [];
  for (const [name, path] of Object.entries(REQUESTS)) {
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const startedAt = performance.now();
      // no two lists are the same, so that none is answered from a cache
      const answer = await fetch(url + path.replace('limit=100', `limit=${100 + round}`));
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}.`);
      seconds.push((performance.now() - startedAt) / 1000);
    }
    rows.push([name, median(seconds).toFixed(2), Math.max(...seconds).toFixed(2)]);
  }
  return {
    title: 'What the data page asks for, at a million rows',
    about: `Seconds; medians of ${rounds}.`,
    columns: ['request', 'median', 'most'],
    rows,
  };
}
