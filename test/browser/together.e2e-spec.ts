import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeInBrowser, Pages, untilColumn, untilLoaded } from '../support/browser.js';
import { NO_REQUEST_LIMITS } from '../support/keys.js';
import { store } from '../support/store.js';

const NAMES = ['Boston', 'Paris', 'Rome', 'Oslo', 'Berlin', 'Tokyo', 'London', 'Athens'];
/** `RANDOM_EDITS=1000 npm test -- test/browser/together` runs as many. */
const EDITS = Number(process.env.RANDOM_EDITS ?? 60);

describeInBrowser('pages side by side', () => {
  const pages = new Pages(
    NAMES.map((name) => ({ name })),
    NO_REQUEST_LIMITS,
  );

  it('show rows and changes in eight tabs: a browser allows six connections', async () => {
    const first = await pages.open();
    const tabs = [first];
    while (tabs.length < 8) tabs.push(await pages.openBeside(first.context()));
    await pages.http.patch('/marathon/1').send({ name: 'Changed' }).expect(200);
    for (const page of tabs) await untilColumn(page, 'name', ['Changed', ...NAMES.slice(1)]);
    // the tab that follows the changes is closed, and another one takes its place
    await first.close();
    await pages.http.patch('/marathon/1').send({ name: 'Again' }).expect(200);
    for (const page of tabs.slice(1)) await untilColumn(page, 'name', ['Again', ...NAMES.slice(1)]);
  });

  it('keep in place what one reads when others add and remove rows before it', async () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ name: `Number ${1000 + index}` }));
    await store(pages.running, many);
    const page = await pages.open('/?order=name&name=ilike.*number*');
    await page.focus('.grid');
    for (let count = 0; count < 3; count += 1) await page.keyboard.press('PageDown');
    await untilLoaded(page);
    const first = page.locator('.window .cell.name').first();
    const [before, place] = [await first.innerText(), await page.textContent('.position')];
    await store(pages.running, [{ name: 'Number 0' }, { name: 'Number 00' }]);
    await page.locator('.total', { hasText: '302 marathons' }).waitFor();
    await page.locator('.position', { hasNotText: place! }).waitFor();
    await untilLoaded(page);
    expect(await first.innerText()).toBe(before);
    await pages.http.delete(`/marathon/?name=in.("Number 0","Number 1000")`).expect(200);
    await page.locator('.position', { hasText: place! }).waitFor();
    await untilLoaded(page);
    expect(await first.innerText()).toBe(before);
  });

  it('keep what was typed while the service is away, and then save it', async () => {
    const page = await pages.open();
    await page.focus('.grid');
    await page.keyboard.type('Typed');
    await page.context().setOffline(true);
    await page.keyboard.press('Enter');
    await page.locator('.connection.away', { hasText: 'is away' }).waitFor();
    expect(await page.locator('.editor input').inputValue()).toBe('Typed');
    await page.context().setOffline(false);
    await untilColumn(page, 'name', ['Typed', ...NAMES.slice(1)]);
    await page.locator('.connection:not(.away)').waitFor();
    await pages.http.patch('/marathon/2').send({ name: 'Later' }).expect(200);
    await untilColumn(page, 'name', ['Typed', 'Later', ...NAMES.slice(2)]);
  });

  it('follow again if the stream of changes is silent for too long', async () => {
    const context = (await pages.open()).context();
    const page = await context.newPage();
    await page.clock.install();
    const requests: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/marathon/changes')) requests.push(request.url());
    });
    // the first tab has the stream until it is closed
    await page.goto(await pages.running.app.getUrl());
    await context.pages()[0]!.close();
    // the page may not read the stream yet when the time jumps first
    while (requests.length < 2) await page.clock.fastForward(41_000);
    await pages.http.patch('/marathon/1').send({ name: 'Changed' }).expect(200);
    await untilColumn(page, 'name', ['Changed', ...NAMES.slice(1)]);
  });

  it(
    `show what the database has after ${EDITS} random edits through both`,
    async () => {
      const both = [await pages.open(), await pages.open()];
      const edit = async (page: Page, number: number) => {
        await page.focus('.grid');
        await page.keyboard.press('Control+Home');
        for (let step = Math.floor(Math.random() * NAMES.length); step; step -= 1)
          await page.keyboard.press('ArrowDown');
        await page.keyboard.type(`Edit ${number}`);
        await page.keyboard.press('Enter');
        const dialog = page.locator('dialog button.primary');
        await page.locator('.grid:not(:has(.editor input))').waitFor();
        if (await dialog.count()) await dialog.click();
        await page.locator('.grid:not(:has(.editor input))').waitFor();
      };
      await Promise.all(
        both.map(async (page, first) => {
          for (let number = first; number < EDITS; number += 2) await edit(page, number);
        }),
      );
      const { body } = await pages.http.get('/marathon/').expect(200);
      const names = body.marathon_list.map(({ name }: { name: string }) => name);
      for (const page of both) await untilColumn(page, 'name', names);
      const { body: changes } = await pages.http.get('/marathon/changes').expect(200);
      expect(changes.changes.length).toBeGreaterThan(Math.min(900, NAMES.length + EDITS / 2));
    },
    120_000 + EDITS * 2000,
  );
});
