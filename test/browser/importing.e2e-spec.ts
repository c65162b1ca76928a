import { beforeEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';

const BOSTON = { name: 'Boston Marathon', city: 'Boston', inception_year: 1896 };

describeInBrowser('importing on the page', () => {
  const pages = new Pages([BOSTON]);
  let page: Page;
  beforeEach(async () => void (page = await pages.open()));

  const choose = async (text: string | Buffer, name = 'races.csv') =>
    page.setInputFiles('input[type=file]', {
      name,
      mimeType: 'text/csv',
      buffer: Buffer.from(text),
    });

  it('finds columns by their names, shows what would change, and then changes it', async () => {
    await choose(
      'Race;Host city;Year;Web\nRome Marathon;Rome;1995;x\nBoston Marathon;Boston;1897;y\n',
    );
    const dialog = page.locator('dialog');
    await dialog
      .locator('[role=status]', { hasText: '1 will be added, 0 changed, 1 left' })
      .waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await dialog.locator('label:has-text("If it is there") select').selectOption('update');
    await dialog.locator('[role=status]', { hasText: '1 will be added, 1 changed' }).waitFor();
    await untilTexts(page, 'dialog tr', [
      'changed\tBoston Marathon\tBoston\t1896 1897',
      'new\tRome Marathon\tRome\t1995',
    ]);
    expect((await pages.http.get('/marathon/')).body.marathon_list).toEqual([{ id: 1, ...BOSTON }]);
    await dialog.locator('button.primary').click();
    await untilColumn(page, 'name', ['Boston Marathon', 'Rome Marathon']);
    await untilColumn(page, 'inception_year', ['1897', '1995']);
    await page.locator('.notice', { hasText: '1 was added, 1 changed' }).waitFor();
  });

  it('lists the lines that are refused, and imports nothing', async () => {
    await choose('name,city,inception_year\n,Rome,1995\nParis,Paris,soon\n');
    const alert = page.locator('dialog [role=alert]');
    await alert.locator('li').nth(1).waitFor();
    await untilTexts(page, 'dialog [role=alert] li', [
      'Line 2, Name: must be text',
      'Line 3, Founded: must be a whole number from 1 to 9999, or null',
    ]);
    expect(await page.locator('dialog button.primary').isDisabled()).toBe(true);
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  });

  it('reads a file in the encoding that is chosen', async () => {
    await choose(Buffer.from('name,city\nZürich Marathon,Zürich\n', 'latin1'));
    await page.locator('dialog [role=alert]').waitFor();
    await page.locator('label:has-text("Encoding") select').selectOption('windows-1252');
    await page.locator('dialog tr', { hasText: 'Zürich Marathon' }).waitFor();
  });

  it('takes a file that is dropped on the page', async () => {
    const dropped = await page.evaluateHandle(() => {
      const { DataTransfer } = globalThis as unknown as { DataTransfer: new () => Transfer };
      const transfer = new DataTransfer();
      transfer.items.add(new File(['{"name":"Oslo Marathon"}\n'], 'races.ndjson'));
      return transfer;
    });
    await page.dispatchEvent('.grid', 'drop', { dataTransfer: dropped });
    await page.locator('dialog tr', { hasText: 'Oslo Marathon' }).waitFor();
    await page.locator('dialog button.primary').click();
    await untilColumn(page, 'name', ['Boston Marathon', 'Oslo Marathon']);
  });
});

/** What is used of a DataTransfer. The types of browsers are not those of Node. */
interface Transfer {
  items: { add: (file: File) => void };
}
