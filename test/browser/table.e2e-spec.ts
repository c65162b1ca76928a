import { expect, it } from '@jest/globals';
import {
  columnOf,
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilLoaded,
  untilTexts,
} from '../support/browser.js';
import { emptyRegistry, store } from '../support/store.js';

const MARATHONS = [
  { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 },
  { name: 'Zürich Marathon', city: 'Zürich', inception_year: 2003 },
  { name: 'Berlin Marathon', city: 'Berlin', inception_year: 1974 },
  { name: 'Paris Marathon', city: 'Paris', inception_year: 1976 },
  { name: 'Course de Paris', city: 'Paris', inception_year: null },
  { name: 'Nowhere Run', city: null, inception_year: 1974 },
];
const NAMES = MARATHONS.map(({ name }) => name);

describeInBrowser('the table of the page', () => {
  const pages = new Pages(MARATHONS);
  const open = pages.open.bind(pages);

  it('shows all marathons, and how many there are', async () => {
    const page = await open();
    await untilColumn(page, 'name', NAMES);
    expect(await page.textContent('.total')).toBe('6 marathons');
    expect(await columnOf(page, 'inception_year')).toEqual([
      '1897',
      '2003',
      '1974',
      '1976',
      '–',
      '1974',
    ]);
  });

  it('sorts by a click, by a second column with Shift, and goes back', async () => {
    const page = await open();
    await page.click('.header.inception_year button');
    await untilColumn(page, 'inception_year', ['1897', '1974', '1974', '1976', '2003', '–']);
    await page.click('.header.name button', { modifiers: ['Shift'] });
    await untilColumn(page, 'name', [
      NAMES[0]!,
      NAMES[2]!,
      NAMES[5]!,
      NAMES[3]!,
      NAMES[1]!,
      NAMES[4]!,
    ]);
    expect(queryOf(page.url())).toBe('?order=inception_year.nullslast,name.nullslast');
    await page.click('.header.inception_year button');
    await untilColumn(page, 'inception_year', ['2003', '1976', '1974', '1974', '1897', '–']);
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await untilColumn(page, 'name', NAMES);
  });

  it('filters below the headers, and keeps the filter in the address', async () => {
    const page = await open();
    await page.fill('.header.city .filter', 'par');
    await untilColumn(page, 'name', [NAMES[3]!, NAMES[4]!]);
    await page.reload();
    await untilColumn(page, 'name', [NAMES[3]!, NAMES[4]!]);
    expect(await page.inputValue('.header.city .filter')).toBe('par');
    await page.fill('.header.city .filter', '=');
    await untilColumn(page, 'name', [NAMES[5]!]);
    await page.fill('.header.city .filter', '');
    await untilColumn(page, 'name', NAMES);
    await page.fill('.years .filter >> nth=0', '1975');
    await page.fill('.years .filter >> nth=1', '2000');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', [NAMES[3]!]);
    expect(queryOf(page.url())).toBe('?inception_year=gte.1975&inception_year=lte.2000');
  });

  it('takes a wildcard in a filter as a character', async () => {
    await store(pages.running, [{ name: '100% Run' }]);
    const page = await open();
    await page.fill('.header.name .filter', '%');
    await untilColumn(page, 'name', ['100% Run']);
  });

  it('searches while one types, and marks what matched', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('zuri');
    await untilColumn(page, 'name', ['Zürich Marathon']);
    await untilTexts(page, '.window mark', ['Züri', 'Züri']);
    expect(queryOf(page.url())).toBe('?q=zuri');
  });

  it('says that nothing matches, and shows all again', async () => {
    const page = await open('/?city=eq.Atlantis');
    await page.click('.empty button');
    await untilColumn(page, 'name', NAMES);
  });

  it('says what is wrong with an address', async () => {
    const page = await open('/?order=beauty');
    await page.locator('.empty', { hasText: 'beauty' }).waitFor();
  });

  it('scrolls through thousands of rows to the last one and back', async () => {
    await store(
      pages.running,
      Array.from({ length: 3000 }, (_, index) => ({ name: `Number ${index + 1}` })),
    );
    const page = await open();
    await page.focus('.grid');
    await page.keyboard.press('Control+End');
    await page.locator('.cell.active', { hasText: 'Number 3000' }).waitFor();
    expect(await page.textContent('.position')).toMatch(/3,006 of 3,006$/);
    await page.keyboard.press('PageUp');
    await page.keyboard.press('ArrowUp');
    await untilLoaded(page);
    const [first] = await columnOf(page, 'id');
    expect(Number(first)).toBeLessThan(2995);
    await page.keyboard.press('Control+Home');
    await page.locator('.cell.active', { hasText: NAMES[0]! }).waitFor();
    await page.mouse.move(400, 400);
    await page.mouse.wheel(0, 36 * 100);
    await page.locator('.cell.id', { hasText: /^101$/ }).waitFor();
  });

  it('shows markup and addresses of scripts as text', async () => {
    const names = [
      '<img src=x onerror=alert(1)>',
      'javascript:alert(1)',
      '<script>alert(1)</script>',
    ];
    await emptyRegistry(pages.running);
    await store(
      pages.running,
      names.map((name) => ({ name, city: name.slice(0, 50) })),
    );
    const page = await open('/?q=alert&order=id#/1');
    await untilColumn(page, 'name', names);
    await page.locator('.details h2', { hasText: names[0]! }).waitFor();
    expect(await page.locator('img, .window a').count()).toBe(0);
  });

  it.each(['light', 'dark'] as const)('has no barriers that axe finds: %s', async (colorScheme) => {
    const page = await open('/?q=marathon&order=name', { colorScheme });
    await untilColumn(page, 'name', NAMES.filter((name) => name.includes('Marathon')).toSorted());
    await page.locator('.bar').first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.click('.window .cell.name');
    await page.locator('.timeline li').waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });
});

function queryOf(address: string): string {
  return decodeURIComponent(new URL(address).search);
}
