import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import {
  describeInBrowser,
  findBarriers,
  Pages,
  untilColumn,
  untilTexts,
} from '../support/browser.js';
import { store } from '../support/store.js';

const NAMES = ['Boston', 'Paris', 'Rome', 'Oslo', 'Berlin'];
const CITIES = NAMES.map(() => 'Somewhere');

describeInBrowser('changing many on the page', () => {
  const pages = new Pages(NAMES.map((name) => ({ name, city: 'Somewhere' })));

  it('changes the chosen ones, after it has shown how many, and undoes it', async () => {
    const page = await pages.open();
    await choose(page, 'Paris', 'Rome');
    await begin(page, 'Change');
    await page.fill('dialog input', 'Elsewhere');
    await page.locator('dialog [role=status]', { hasText: '2 will be changed' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.click('dialog .primary');
    await untilColumn(page, 'city', [
      'Somewhere',
      'Elsewhere',
      'Elsewhere',
      'Somewhere',
      'Somewhere',
    ]);
    await page.click('.notice button:has-text("Undo")');
    await untilColumn(page, 'city', CITIES);
    const { body } = await pages.http.get('/marathon/2/history').expect(200);
    expect(body.history.map(({ operation }: { operation: string }) => operation)).toEqual([
      'restore',
      'update',
      'create',
    ]);
  });

  it('undoes a change of one that was made before a change of many', async () => {
    const page = await pages.open();
    await page.focus('.grid');
    await page.keyboard.type('Boston 1897');
    await page.keyboard.press('Enter');
    await untilColumn(page, 'name', ['Boston 1897', ...NAMES.slice(1)]);
    await page.check('.header.chosen input');
    await begin(page, 'Change');
    await page.fill('dialog input', 'Elsewhere');
    await page.locator('dialog [role=status]', { hasText: '5 will be changed' }).waitFor();
    await page.click('dialog .primary');
    await untilColumn(
      page,
      'city',
      NAMES.map(() => 'Elsewhere'),
    );
    await page.focus('.grid');
    await page.keyboard.press('Control+z');
    await untilColumn(page, 'city', CITIES);
    await page.keyboard.press('Control+z');
    await untilColumn(page, 'name', NAMES);
  });

  it('deletes all that match a filter but those that are taken out', async () => {
    await store(pages.running, [{ name: 'Tokyo', city: 'Tokyo' }]);
    const page = await pages.open('/?city=eq.Somewhere');
    await page.check('.header.chosen input');
    await page.locator('.chosen-bar', { hasText: '5 chosen' }).waitFor();
    await page.locator('.row', { hasText: 'Rome' }).locator('.cell.chosen').click();
    await page.locator('.chosen-bar', { hasText: '4 chosen' }).waitFor();
    await begin(page, 'Delete');
    await page.locator('dialog [role=status]', { hasText: '4 will be deleted' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.click('dialog .primary');
    await untilColumn(page, 'name', ['Rome']);
    const { body } = await pages.http.get('/marathon/?select=name').expect(200);
    expect(body.marathon_list).toEqual([{ name: 'Rome' }, { name: 'Tokyo' }]);
  });

  it('changes all that a search found', async () => {
    const page = await pages.open('/?q=paris');
    await untilColumn(page, 'name', ['Paris']);
    await page.check('.header.chosen input');
    await begin(page, 'Change');
    await page.selectOption('dialog select', 'inception_year');
    await page.fill('dialog input', '1976');
    await page.locator('dialog [role=status]', { hasText: '1 will be changed' }).waitFor();
    await page.click('dialog .primary');
    await untilColumn(page, 'inception_year', ['1976']);
  });

  it('shows what the service refuses, and changes nothing', async () => {
    const page = await pages.open();
    await choose(page, 'Paris');
    await begin(page, 'Change');
    await page.selectOption('dialog select', 'name');
    await page.locator('dialog [role=alert]', { hasText: 'must be text' }).waitFor();
    expect(await page.locator('dialog .primary').isDisabled()).toBe(true);
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await untilColumn(page, 'name', NAMES);
  });

  it('deletes no more than were shown', async () => {
    const page = await pages.open();
    await page.check('.header.chosen input');
    await begin(page, 'Delete');
    await page.locator('dialog [role=status]', { hasText: '5 will be deleted' }).waitFor();
    await store(pages.running, [{ name: 'Tokyo' }]);
    await page.click('dialog .primary');
    await page.locator('dialog [role=alert]', { hasText: '6 records would be affected' }).waitFor();
    await page.keyboard.press('Escape');
    await untilColumn(page, 'name', [...NAMES, 'Tokyo']);
  });

  it('chooses by the keyboard: Shift with the arrows and with Space, Ctrl+A, Escape', async () => {
    const page = await pages.open();
    await page.focus('.grid');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await untilTexts(page, '.chosen-bar p', ['3 chosen']);
    await page.keyboard.press('Shift+Space');
    await untilTexts(page, '.chosen-bar p', ['2 chosen']);
    await page.keyboard.press('Control+a');
    await untilTexts(page, '.chosen-bar p', ['5 chosen']);
    await page.keyboard.press('Escape');
    await page.locator('.chosen-bar').waitFor({ state: 'detached' });
  });

  it('restores one of the deleted marathons', async () => {
    await pages.http.delete('/marathon/2').expect(204);
    await pages.http.delete('/marathon/4').expect(204);
    const page = await pages.open();
    await page.click('.menu button:has-text("View")');
    await page.click('.menu button:has-text("Deleted")');
    await untilTexts(page, 'dialog tbody th', ['Oslo', 'Paris']);
    expect(await findBarriers(page)).toEqual([]);
    await page.click('dialog button[aria-label="Restore: Paris"]');
    await untilTexts(page, 'dialog tbody th', ['Oslo']);
    await page.keyboard.press('Escape');
    await untilColumn(page, 'name', ['Boston', 'Paris', 'Rome', 'Berlin']);
  });
});

async function choose(page: Page, ...names: string[]): Promise<void> {
  for (const name of names) {
    await page.locator('.row', { hasText: name }).locator('.cell.chosen').click();
  }
  await page.locator('.chosen-bar', { hasText: `${names.length} chosen` }).waitFor();
}

async function begin(page: Page, task: string): Promise<void> {
  await page.click(`.chosen-bar button:has-text("${task}")`);
  await page.locator('dialog').waitFor();
}
