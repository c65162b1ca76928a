import { beforeEach, expect, it } from '@jest/globals';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';

const DAY_MS = 86_400_000;

describeInBrowser('the past on the page', () => {
  const pages = new Pages([{ name: 'Boston', city: 'Boston' }, { name: 'Paris' }]);
  let yesterday: string;

  beforeEach(async () => {
    // what was stored happened three days ago
    await pages.running.database.query(
      "UPDATE journal_request SET at = at - interval '3 days'; UPDATE journal_head SET at = at - interval '3 days'",
    );
    await pages.http.patch('/marathon/1').send({ city: 'Hopkinton' }).expect(200);
    await pages.http.delete('/marathon/2').expect(204);
    yesterday = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  });

  it('shows the table as it was on a day, which cannot be changed, and goes back to now', async () => {
    const page = await pages.open('/', { timezoneId: 'UTC' });
    await untilColumn(page, 'name', ['Boston']);
    await page.click('.menu button:has-text("View")');
    await page.fill('.menu [type=date]', yesterday);
    await untilColumn(page, 'name', ['Boston', 'Paris']);
    await untilColumn(page, 'city', ['Boston', '–']);
    await page.keyboard.press('Escape');
    expect(await findBarriers(page)).toEqual([]);
    await page.focus('.grid');
    await page.keyboard.type('x');
    await page.locator('.notice', { hasText: 'cannot be changed' }).waitFor();
    await page.reload();
    await untilColumn(page, 'name', ['Boston', 'Paris']);
    await page.click('.past button');
    await untilColumn(page, 'city', ['Hopkinton']);
  });

  it('shows one marathon as it was on a day', async () => {
    const page = await pages.open('/#/1', { timezoneId: 'UTC' });
    await untilTexts(page, '.details dd', ['Hopkinton', '–']);
    await page.fill('.details [type=date]', yesterday);
    await untilTexts(page, '.details dd', ['Boston', 'Boston', '–']);
    expect(await findBarriers(page)).toEqual([]);
    await page.fill('.details [type=date]', '2020-01-01');
    await page.locator('.details [role=status]', { hasText: 'was not there' }).waitFor();
  });
});

describeInBrowser('the columns of the page', () => {
  const pages = new Pages([{ name: 'Boston', city: 'Boston' }]);

  it('are hidden and shown, and the address says so', async () => {
    const page = await pages.open();
    await page.click('.menu button:has-text("View")');
    expect(await findBarriers(page)).toEqual([]);
    await page.uncheck('.menu label:has-text("City") input');
    await page.uncheck('.menu label:has-text("ID") input');
    const headers = '.header:not(.chosen) button';
    await untilTexts(page, headers, ['Name', 'Founded']);
    await page.reload();
    await untilTexts(page, headers, ['Name', 'Founded']);
    expect(decodeURIComponent(new URL(page.url()).search)).toBe('?hide=city,id');
    await page.focus('.grid');
    await page.keyboard.press('End');
    await page.keyboard.type('1897');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'inception_year', ['1897']);
    await page.click('.menu button:has-text("View")');
    await page.check('.menu label:has-text("City") input');
    await untilTexts(page, headers, ['Name', 'City', 'Founded']);
  });

  it('keep the last one', async () => {
    const page = await pages.open('/?hide=id,city,inception_year');
    await page.click('.menu button:has-text("View")');
    await page.click('.menu label:has-text("Name")');
    await untilTexts(page, '.header:not(.chosen) button', ['Name']);
  });

  it('are widened by dragging and by the arrow keys', async () => {
    const page = await pages.open();
    const widthOf = async () =>
      Math.round((await page.locator('.header.city').boundingBox())!.width);
    const before = await widthOf();
    const handle = (await page.locator('.header.city .width-handle').boundingBox())!;
    await page.mouse.move(handle.x + 4, handle.y + 10);
    await page.mouse.down();
    await page.mouse.move(handle.x - 56, handle.y + 10);
    await page.mouse.up();
    await page.waitForURL(`**/?widths=city:${before - 60}`);
    expect(await widthOf()).toBe(before - 60);
    await page.focus('.header.city .width-handle');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(`**/?widths=city:${before - 44}`);
    await page.reload();
    await untilColumn(page, 'name', ['Boston']);
    expect(await widthOf()).toBe(before - 44);
    await page.dblclick('.header.city .width-handle');
    await page.waitForURL('**/');
    expect(await widthOf()).toBe(before);
  });
});
