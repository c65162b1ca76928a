import { expect, it } from '@jest/globals';
import { startApp } from '../support/app.js';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';
import { authorize } from '../support/keys.js';
import { emptyRegistry, store } from '../support/store.js';

const BOSTON = { name: 'Boston Marathon', city: 'Boston', inception_year: 1897 };
const PARIS = { name: 'Paris Marathon', city: 'Paris', inception_year: 1976 };

describeInBrowser('editing on the page', () => {
  const pages = new Pages([BOSTON, PARIS]);
  const open = pages.open.bind(pages);
  const marathon = async (id: number) => (await pages.http.get(`/marathon/${id}`)).body;

  it('edits by the keyboard: Enter begins, Tab saves and goes on, Escape gives up', async () => {
    const page = await open();
    await page.focus('.grid');
    await page.keyboard.press('Enter');
    await page.keyboard.type(' of 1897');
    await page.keyboard.press('Tab');
    await page.locator('.cell.city input').fill('Hopkinton');
    await page.keyboard.press('Tab');
    await page.locator('.cell.inception_year input').fill('1');
    await page.keyboard.press('Escape');
    await untilColumn(page, 'name', ['Boston Marathon of 1897', 'Paris Marathon']);
    await untilColumn(page, 'city', ['Hopkinton', 'Paris']);
    await untilColumn(page, 'inception_year', ['1897', '1976']);
    expect(await marathon(1)).toEqual({
      id: 1,
      ...BOSTON,
      name: 'Boston Marathon of 1897',
      city: 'Hopkinton',
    });
  });

  it('replaces a value by typing, and empties it', async () => {
    const page = await open();
    await page.focus('.grid');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.type('Rome');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'city', ['Rome', 'Paris']);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('F2');
    await page.locator('.cell.inception_year input').fill('');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'inception_year', ['–', '1976']);
    expect(await marathon(1)).toMatchObject({ city: 'Rome', inception_year: null });
  });

  it('undoes one change after another', async () => {
    const page = await open();
    await page.focus('.grid');
    for (const name of ['A', 'B']) {
      await page.keyboard.type(name);
      await page.keyboard.press('Enter');
      await untilColumn(page, 'name', [name, 'Paris Marathon']);
    }
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Delete');
    await untilColumn(page, 'name', ['B']);
    await page.keyboard.press('Control+z');
    await untilColumn(page, 'name', ['B', 'Paris Marathon']);
    await page.keyboard.press('Control+z');
    await untilColumn(page, 'name', ['A', 'Paris Marathon']);
    await page.click('.notice button:has-text("Undo")');
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon']);
    expect(await marathon(2)).toEqual({ id: 2, ...PARIS });
  });

  it('shows at the cell what the service refuses, and keeps what was typed', async () => {
    const page = await open();
    await page.focus('.grid');
    await page.keyboard.press('End');
    await page.keyboard.type('last year');
    await page.keyboard.press('Enter');
    await page.locator('.error', { hasText: 'must be a whole number' }).waitFor();
    const input = page.locator('.cell.inception_year input');
    expect(await input.inputValue()).toBe('last year');
    expect(await findBarriers(page)).toEqual([]);
    await input.fill('1898');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'inception_year', ['1898', '1976']);
  });

  it.each([
    ['Keep mine', 'Mine', 4],
    ['Keep theirs', 'Theirs', 3],
  ])('shows both versions if someone else changed it: %s', async (button, expected, version) => {
    const page = await open();
    await page.focus('.grid');
    await page.keyboard.type('Mine');
    await pages.http.patch('/marathon/1').send({ city: 'Cambridge' }).expect(200);
    await pages.http.patch('/marathon/1').send({ name: 'Theirs' }).expect(200);
    await page.keyboard.press('Enter');
    const dialog = page.locator('dialog');
    await dialog.waitFor();
    await untilTexts(page, 'dialog td', ['Mine', 'Theirs']);
    expect(await findBarriers(page)).toEqual([]);
    await dialog.locator('button', { hasText: button }).click();
    await untilColumn(page, 'name', [expected, 'Paris Marathon']);
    await untilColumn(page, 'city', ['Cambridge', 'Paris']);
    const { body, headers } = await pages.http.get('/marathon/1');
    expect([body.name, headers.etag]).toEqual([expected, `"${version}"`]);
  });

  it('shows what others change, add and delete', async () => {
    const [one, other] = [await open(), await open()];
    await one.focus('.grid');
    await one.keyboard.type('Changed');
    await one.keyboard.press('Enter');
    await untilColumn(other, 'name', ['Changed', 'Paris Marathon']);
    await other.locator('.row.marked', { hasText: 'Changed' }).waitFor();
    await store(pages.running, [{ name: 'New' }]);
    await pages.http.delete('/marathon/2').expect(204);
    for (const page of [one, other]) {
      await untilColumn(page, 'name', ['Changed', 'New']);
      await page.locator('.total', { hasText: '2 marathons' }).waitFor();
    }
  });

  it('shows the history of a marathon, and restores a version of it', async () => {
    await pages.http.patch('/marathon/1').send({ city: 'Hopkinton' }).expect(200);
    const page = await open('/#/1');
    await page.locator('.timeline del', { hasText: 'Boston' }).waitFor();
    await untilTexts(page, '.timeline ins', ['Hopkinton']);
    await page.click('.timeline button');
    await untilColumn(page, 'city', ['Boston', 'Paris']);
    await page.locator('.timeline li', { hasText: 'restored' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  it('adds a marathon by a form, and shows at its fields what is refused', async () => {
    const page = await open();
    await page.click('.toolbar .primary');
    await page.fill('dialog [name=inception_year]', 'early');
    await page.keyboard.press('Enter');
    await page.locator('dialog [role=alert]').nth(1).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.fill('dialog [name=name]', 'Rome Marathon');
    await page.fill('dialog [name=inception_year]', '1995');
    await page.keyboard.press('Enter');
    await page.locator('.details h2', { hasText: 'Rome Marathon' }).waitFor();
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon', 'Rome Marathon']);
    await page.focus('.grid');
    await page.keyboard.press('Control+z');
    await untilColumn(page, 'name', ['Boston Marathon', 'Paris Marathon']);
  });

  it('edits by a form, and shows at its fields what someone else changed', async () => {
    const page = await open('/#/1');
    await page.click('.details button:has-text("Edit")');
    await page.fill('dialog [name=name]', 'Mine');
    await pages.http.patch('/marathon/1').send({ name: 'Theirs' }).expect(200);
    await page.keyboard.press('Enter');
    await page.locator('dialog .wrong', { hasText: 'Theirs: Theirs' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect((await marathon(1)).name).toBe('Theirs');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', ['Mine', 'Paris Marathon']);
  });

  it('deletes what was just saved, before its history is fetched', async () => {
    const page = await open('/#/1');
    await page.click('.details button:has-text("Edit")');
    await page.fill('dialog [name=name]', 'Mine');
    // no answer comes
    await page.route('**/history', () => undefined);
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', ['Mine', 'Paris Marathon']);
    await page.click('.details button:has-text("Delete")');
    await untilColumn(page, 'name', ['Paris Marathon']);
    await page.click('.notice button:has-text("Undo")');
    await untilColumn(page, 'name', ['Mine', 'Paris Marathon']);
  });

  it('offers a sample to an empty registry', async () => {
    await emptyRegistry(pages.running);
    const page = await open();
    expect(await findBarriers(page)).toEqual([]);
    const choosing = page.waitForEvent('filechooser');
    await page.click('.empty button:has-text("file")');
    await choosing;
    await page.click('.empty .primary');
    await page.locator('.total', { hasText: '102 marathons' }).waitFor();
  });

  it('exports what is shown', async () => {
    const page = await open('/?city=eq.Paris');
    await page.click('.menu button:has-text("Export")');
    expect(await findBarriers(page)).toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.click('.menu a:has-text("CSV")'),
    ]);
    expect(download.suggestedFilename()).toBe('marathons.csv');
    const lines: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) lines.push(chunk as Buffer);
    expect(String(Buffer.concat(lines)).split(/\r?\n/).slice(0, 2)).toEqual([
      'id,name,city,inception_year',
      '2,Paris Marathon,Paris,1976',
    ]);
  });

  it('asks for a key when somebody wants to write, and keeps it in the tab only', async () => {
    const keyed = await startApp({ ACCESS: 'keys' });
    try {
      const { key, header } = await authorize(keyed, 'writer');
      await keyed.http.post('/marathon/').set(header).send(BOSTON).expect(201);
      const page = await open('/', {}, keyed);
      await page.focus('.grid');
      await page.keyboard.type('By key');
      await page.keyboard.press('Enter');
      await page.locator('dialog input').fill(key);
      expect(await findBarriers(page)).toEqual([]);
      await page.keyboard.press('Enter');
      await untilColumn(page, 'name', ['By key']);
      await page.click('.window .cell.name');
      await page.locator('.timeline li', { hasText: 'by writer' }).first().waitFor();
      const { cookies, origins } = await page.context().storageState();
      expect([cookies, origins]).toEqual([[], []]);
    } finally {
      await keyed.close();
    }
  });
});
