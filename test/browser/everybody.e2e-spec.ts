import { expect, it } from '@jest/globals';
import { devices, type Page } from 'playwright-core';
import { startApp } from '../support/app.js';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';
import { authorize } from '../support/keys.js';
import { store } from '../support/store.js';

const BOSTON = { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 };
const PARIS = { name: 'Paris Marathon', city: 'Paris', inception_year: 1976 };
const { defaultBrowserType: _, ...PHONE } = devices['Pixel 7'];

describeInBrowser('the page by the keyboard alone', () => {
  const pages = new Pages([BOSTON, PARIS]);

  it('finds, corrects, adds, imports, changes many, looks at the past and undoes', async () => {
    const page = await pages.open();
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    // search, and leave it
    await press('/');
    await page.keyboard.type('paris');
    await untilColumn(page, 'name', ['Paris Marathon']);
    await press('ControlOrMeta+a', 'Delete');
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon']);
    // sort by a header
    await tabTo(page, 'button:has-text("Founded")');
    await press('Enter', 'Enter');
    await untilColumn(page, 'name', ['Paris Marathon', 'Boston Marathon']);
    await press('Enter');
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon']);
    // edit, with a mistake
    await tabTo(page, '.grid', 'Shift+Tab');
    await press('End');
    await page.keyboard.type('soon');
    await press('Enter');
    await page.locator('.error').waitFor();
    await press('ControlOrMeta+a');
    await page.keyboard.type('1898');
    await press('Enter');
    await untilColumn(page, 'inception_year', ['1898', '1976']);
    // history of a marathon, and an earlier version
    await press(' ');
    await tabTo(page, '.timeline button');
    await press('Enter');
    await untilColumn(page, 'inception_year', ['1897', '1976']);
    await tabTo(page, '.details button[aria-label=Close]', 'Shift+Tab');
    await press('Enter');
    // add
    await tabTo(page, '.grid', 'Shift+Tab');
    await press('Insert');
    await page.keyboard.type('Rome Marathon');
    await press('Enter');
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon', 'Rome Marathon']);
    // change many
    await tabTo(page, '.grid', 'Shift+Tab');
    await press('Control+a');
    await tabTo(page, '.chosen-bar button:has-text("Change")');
    await press('Enter');
    await tabTo(page, 'dialog input');
    await page.keyboard.type('Everywhere');
    await page.locator('dialog [role=status]', { hasText: '3 will be changed' }).waitFor();
    await press('Enter');
    await untilColumn(page, 'city', ['Everywhere', 'Everywhere', 'Everywhere']);
    await tabTo(page, '.grid', 'Shift+Tab');
    await press('Control+z');
    await untilColumn(page, 'city', ['Boston', 'Paris', '–']);
    // import
    await tabTo(page, '.menu button:has-text("Import")', 'Shift+Tab');
    await press('Enter');
    await tabTo(page, '.menu button:has-text("Paste rows")');
    await press('Enter');
    await tabTo(page, 'dialog textarea');
    await page.keyboard.insertText('name,city\nOslo Marathon,Oslo\n');
    await tabTo(page, 'dialog .primary');
    await press('Enter');
    await page.locator('dialog tr', { hasText: 'Oslo Marathon' }).waitFor();
    await tabTo(page, 'dialog .primary');
    await press('Enter');
    await page.locator('.total', { hasText: '4 marathons' }).waitFor();
    // keys, and a column
    await tabTo(page, '.grid');
    await press('?');
    await page.locator('dialog', { hasText: 'Ctrl+Z' }).waitFor();
    await press('Escape');
    await tabTo(page, '.menu button:has-text("View")', 'Shift+Tab');
    await press('Enter');
    await tabTo(page, '.menu label:has-text("City") input');
    await press(' ', 'Escape');
    await page.locator('.header.city').waitFor({ state: 'detached' });
    // delete
    await tabTo(page, '.grid');
    await press('Control+Home', 'Delete');
    await page.locator('.total', { hasText: '3 marathons' }).waitFor();
  });

  it('says what happens, and where one is', async () => {
    const page = await pages.open();
    await page.focus('.grid');
    await page.keyboard.press('ArrowDown');
    const active = await page.getAttribute('.grid', 'aria-activedescendant');
    await untilTexts(page, `#${active}`, ['Paris Marathon']);
    await page.keyboard.press('Delete');
    await page.locator('[role=status]', { hasText: 'Paris Marathon was deleted' }).waitFor();
    await page.context().setOffline(true);
    await page.keyboard.type('x');
    await page.keyboard.press('Enter');
    await page.locator('[role=status]', { hasText: 'is away' }).waitFor();
    await page.context().setOffline(false);
  });
});

describeInBrowser('the page for everybody', () => {
  const pages = new Pages([BOSTON, PARIS]);

  it.each(['light', 'dark'] as const)('is used by touch on a phone: %s', async (colorScheme) => {
    const page = await pages.open('/', { ...PHONE, colorScheme });
    expect(await findBarriers(page)).toEqual([]);
    expect(await scrollsSideways(page)).toBe(false);
    await page.tap('.cell.name >> nth=1');
    await page.locator('.details h2', { hasText: 'Paris Marathon' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.tap('.details [aria-label=Close]');
    await page.tap('.cell.chosen >> nth=0');
    await page.locator('.chosen-bar', { hasText: '1 chosen' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await scrollsSideways(page)).toBe(false);
    await page.tap('.chosen-bar button:has-text("none")');
    await page.tap('.toolbar button:has-text("Pictures")');
    await page.locator('.decades').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.tap('.toolbar button:has-text("Pictures")');
    await page.tap('.menu button:has-text("View")');
    expect(await scrollsSideways(page)).toBe(false);
  });

  it('opens a marathon on a phone in a form that edits it', async () => {
    const page = await pages.open('/#/1', PHONE);
    await page.tap('.details button:has-text("Edit")');
    await page.fill('dialog [name=city]', 'Hopkinton');
    await page.tap('dialog .primary');
    await untilColumn(page, 'city', ['Hopkinton', 'Paris']);
  });

  it('has room for everything at 200 % zoom', async () => {
    // half as many pixels of CSS, each twice as large
    const page = await pages.open('/', {
      viewport: { width: 640, height: 360 },
      deviceScaleFactor: 2,
    });
    expect(await scrollsSideways(page)).toBe(false);
    await page.focus('.grid');
    await page.keyboard.type('Edited');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', ['Edited', 'Paris Marathon']);
    await page.click('.toolbar .primary');
    await page.locator('dialog .primary').click({ trial: true });
    expect(await findBarriers(page)).toEqual([]);
  });

  it('writes names from right to left, beside others', async () => {
    const name = 'ماراثون دبي (2000)';
    await store(pages.running, [{ name, city: 'دبي' }]);
    const page = await pages.open('/?order=id.desc');
    const cell = page.locator('.cell.name', { hasText: 'ماراثون' });
    await untilColumn(page, 'name', [name, 'Paris Marathon', 'Boston Marathon']);
    // without isolation, the parentheses would be at the wrong end
    const isIsolated = await cell
      .locator('bdi')
      .evaluate(
        (element) =>
          (
            globalThis as unknown as { getComputedStyle: (of: unknown) => { unicodeBidi: string } }
          ).getComputedStyle(element).unicodeBidi,
      );
    expect(isIsolated).toBe('isolate');
    await cell.click();
    await page.locator('.details h2 bdi', { hasText: name }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  it('moves nothing if one prefers that', async () => {
    const page = await pages.open('/', { reducedMotion: 'reduce' });
    const duration = await page
      .locator('.window .row')
      .first()
      .evaluate(
        (element) =>
          (
            globalThis as unknown as {
              getComputedStyle: (of: unknown) => { transitionDuration: string };
            }
          ).getComputedStyle(element).transitionDuration,
      );
    expect(duration).toBe('0s');
  });

  it('asks for a key before it reads, where reading needs one', async () => {
    const closed = await startApp({ ACCESS: 'closed' });
    try {
      const { key, header } = await authorize(closed, 'reader');
      const admin = await authorize(closed, 'admin');
      await closed.http.post('/marathon/').set(admin.header).send(BOSTON).expect(201);
      await closed.http.get('/marathon/').set(header).expect(200);
      const page = await pages.open('/', {}, closed);
      await page.locator('dialog', { hasText: 'Reading needs an API key' }).waitFor();
      expect(await findBarriers(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.click('.empty button');
      await page.fill('dialog input', key);
      await page.keyboard.press('Enter');
      await untilColumn(page, 'name', ['Boston Marathon']);
      await page.locator('.cities .bar').waitFor();
      await page.locator('.connection:not(.away)').waitFor();
      await closed.http
        .patch('/marathon/1')
        .set(admin.header)
        .send({ name: 'Changed' })
        .expect(200);
      await untilColumn(page, 'name', ['Changed']);
    } finally {
      await closed.close();
    }
  });
});

/** Presses Tab until an element has the focus. */
async function tabTo(page: Page, selector: string, key = 'Tab'): Promise<void> {
  const target = page.locator(selector).first();
  await target.waitFor();
  for (let count = 0; count < 80; count += 1) {
    if (await target.evaluate(hasFocus)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`The focus did not reach ${selector}.`);
}

function hasFocus(element: unknown): boolean {
  const { document } = globalThis as unknown as { document: { activeElement: unknown } };
  return document.activeElement === element;
}

async function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { document } = globalThis as unknown as {
      document: { documentElement: { scrollWidth: number; clientWidth: number } };
    };
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth;
  });
}
