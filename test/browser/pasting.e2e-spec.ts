import { beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';

describeInBrowser('pasting on the page', () => {
  const pages = new Pages([
    { name: 'Boston', city: 'Boston', inception_year: 1897 },
    { name: 'Paris', city: 'Paris', inception_year: 1976 },
  ]);
  let page: Page;
  beforeEach(async () => {
    page = await pages.open('/', { permissions: ['clipboard-read', 'clipboard-write'] });
  });

  /** As a spreadsheet copies cells, and Ctrl+V pastes them. */
  const paste = async (text: string) => {
    await page.evaluate(async (copied) => {
      const { navigator } = globalThis as unknown as { navigator: { clipboard: Clipboard } };
      await navigator.clipboard.writeText(copied);
    }, text);
    await page.keyboard.press('Control+v');
  };

  it('shows what pasted cells change, changes it, and undoes it', async () => {
    await page.focus('.grid');
    await page.keyboard.press('ArrowRight');
    await paste('Hopkinton\t1898\r\n"Saint ""X"""\t\r\n');
    await untilTexts(page, 'dialog tr', [
      'changed\tBoston\tBoston Hopkinton\t1897 1898',
      'changed\tParis\tParis Saint "X"\t1976 –',
    ]);
    expect(await findBarriers(page)).toEqual([]);
    expect((await pages.http.get('/marathon/1')).body.city).toBe('Boston');
    await page.click('dialog .primary');
    await untilColumn(page, 'city', ['Hopkinton', 'Saint "X"']);
    await untilColumn(page, 'inception_year', ['1898', '–']);
    await page.click('.notice button:has-text("Undo")');
    await untilColumn(page, 'city', ['Boston', 'Paris']);
    await untilColumn(page, 'inception_year', ['1897', '1976']);
  });

  it('adds the rows that are pasted below the last one', async () => {
    await page.focus('.grid');
    await page.keyboard.press('ArrowDown');
    await paste('Paris Marathon\nRome Marathon\tRome\t1995\n');
    await page.locator('dialog [role=status]', { hasText: '1 will be added, 1 changed' }).waitFor();
    await page.click('dialog .primary');
    await untilColumn(page, 'name', ['Boston', 'Paris Marathon', 'Rome Marathon']);
    await untilColumn(page, 'city', ['Boston', 'Paris', 'Rome']);
  });

  it('names the row and the column of what is refused', async () => {
    await page.focus('.grid');
    await paste('A\tB\t1990\nC\tD\tsoon\n');
    await untilTexts(page, 'dialog [role=alert] li', [
      'Row 2, Founded: must be a whole number from 1 to 9999, or null',
    ]);
    expect(await page.locator('dialog .primary').isDisabled()).toBe(true);
  });

  it('edits a single cell', async () => {
    await page.focus('.grid');
    await paste('Pasted');
    await page.locator('.editor input').press('Enter');
    await untilColumn(page, 'name', ['Pasted', 'Paris']);
  });

  it.each([
    ['CSV', 'name;city\nRome Marathon;Rome\n'],
    ['a table', 'Race\tTown\nRome Marathon\tRome\n'],
    ['JSON', '[{"name":"Rome Marathon","city":"Rome"}]'],
    ['JSON of one row', '{"name":"Rome Marathon","city":"Rome"}'],
    ['NDJSON', '{"name":"Rome Marathon","city":"Rome"}\n'],
  ])('imports rows that are pasted into the field: %s', async (_name, text) => {
    await page.click('.menu button:has-text("Import")');
    await page.click('.menu button:has-text("Paste rows")');
    await page.fill('dialog textarea', text);
    expect(await findBarriers(page)).toEqual([]);
    await page.click('dialog .primary');
    await page.locator('dialog tr', { hasText: 'Rome Marathon' }).waitFor();
    await page.click('dialog .primary');
    await untilColumn(page, 'name', ['Boston', 'Paris', 'Rome Marathon']);
    await page.click('.notice button:has-text("Undo")');
    await untilColumn(page, 'name', ['Boston', 'Paris']);
  });

  it('imports rows that are pasted outside of fields', async () => {
    await page.focus('.toolbar .primary');
    await paste('name\nRome Marathon\n');
    await page.locator('dialog tr', { hasText: 'Rome Marathon' }).waitFor();
  });

  it('separates a file by the character that is chosen, and counts its lines', async () => {
    await page.click('.menu button:has-text("Import")');
    await page.click('.menu button:has-text("Paste rows")');
    await page.fill('dialog textarea', 'name|inception_year\nOne, two; three|1990\nFour|x\n');
    await page.click('dialog .primary');
    await page.selectOption('label:has-text("Separator") select', ';');
    await page.locator('dialog [role=alert]').waitFor();
    await page.selectOption('label:has-text("Separator") select', '|');
    await untilTexts(page, 'dialog [role=alert] li', [
      'Line 3, Founded: must be a whole number from 1 to 9999, or null',
    ]);
  });
});

/** What is used of a Clipboard. The types of browsers are not those of Node. */
interface Clipboard {
  writeText: (text: string) => Promise<void>;
}
