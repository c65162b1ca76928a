import { expect, it } from '@jest/globals';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';
import { store } from '../support/store.js';

const THIS_YEAR = new Date().getFullYear();
const MARATHONS = [
  { name: 'Berlin', city: 'Berlin', inception_year: 1974 },
  { name: 'Old Berlin', city: 'Berlin', inception_year: THIS_YEAR - 100 },
  { name: 'Sydney', city: 'Sydney', inception_year: THIS_YEAR - 20 },
  { name: 'Nowhere', city: 'Nowhereville', inception_year: null },
];
const NAMES = MARATHONS.map(({ name }) => name);

describeInBrowser('the pictures of the page', () => {
  const pages = new Pages(MARATHONS);
  it('filter the table by a decade, a city and an anniversary', async () => {
    const page = await pages.open();
    await page.click('.decades .bar:has-text("1970s")');
    await untilColumn(page, 'name', ['Berlin']);
    await page.click('.decades .bar:has-text("1970s")');
    await untilColumn(page, 'name', NAMES);
    await page.click('.cities .bar:has-text("Berlin")');
    await untilColumn(page, 'name', ['Berlin', 'Old Berlin']);
    await untilTexts(page, '.anniversaries .bar', ['100 years\n1']);
    await page.click('.anniversaries .bar:has-text("100 years")');
    await untilColumn(page, 'name', ['Old Berlin']);
    expect(await findBarriers(page)).toEqual([]);
  });

  it('redraw what is filtered, and keep their own filter', async () => {
    const page = await pages.open('/?city=eq.Berlin');
    await untilTexts(page, '.decades .bar', [
      `${Math.floor((THIS_YEAR - 100) / 10)}0s\n1`,
      '1970s\n1',
    ]);
    await untilTexts(page, '.cities .bar', ['Berlin\n2', 'Nowhereville\n1', 'Sydney\n1']);
    await store(pages.running, [{ name: 'New', city: 'Berlin', inception_year: 1975 }]);
    await untilTexts(page, '.decades .bar .count', ['1', '2']);
  });

  it('filter the table by a dot of the map, and tell what was not found', async () => {
    const page = await pages.open();
    await page
      .locator('.caption', { hasText: 'Placed by their cities: 3. Not placed: 1.' })
      .waitFor();
    const box = (await page.locator('.map canvas').boundingBox())!;
    // Sydney is at 151.2° east, of 360° from west to east
    const x = box.x + box.width * (151.2 / 360 + 0.5);
    await page.mouse.move(x, box.y + box.height * 0.8);
    for (let share = 0.7; share < 1; share += 0.02) {
      if (await page.locator('.caption', { hasText: 'Sydney' }).count()) break;
      await page.mouse.move(x, box.y + box.height * share);
    }
    await page.mouse.down();
    await page.mouse.up();
    await untilColumn(page, 'name', ['Sydney']);
    await page.click('.picture summary');
    await page.locator('.picture details p', { hasText: 'Nowhereville' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  it('go from city to city by the arrow keys', async () => {
    const page = await pages.open();
    await page.focus('.map canvas');
    await page.keyboard.press('ArrowRight');
    await page.locator('.caption', { hasText: 'Berlin, DE: 2.' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator('.caption', { hasText: 'Sydney' }).waitFor();
    expect(await page.getAttribute('.map canvas', 'aria-valuetext')).toContain('Sydney');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', ['Sydney']);
  });
});
