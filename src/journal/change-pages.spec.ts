import { describe, expect, it } from '@jest/globals';
import type { DatabaseStartup } from '../database/database-startup.js';
import { ChangePages, PAGE_LENGTH } from './change-pages.js';

const OPEN: Partial<DatabaseStartup> = {
  withRetryUntil: async (_, work) => work(),
  deadlineMs: 10_000,
};

/** Those of a log with so many changes, and the pages that were loaded. */
function pagesOf(total: number) {
  const loads: number[] = [];
  const pages = new ChangePages<number>(OPEN as DatabaseStartup, async (since) => {
    loads.push(since);
    const length = Math.min(PAGE_LENGTH, total - since);
    return Array.from({ length }, (_, index) => since + index + 1);
  });
  return { pages, loads };
}

describe('ChangePages', () => {
  it('fetches a page once for concurrent readers, as the same array', async () => {
    const { pages, loads } = pagesOf(PAGE_LENGTH + 1);
    const read = await Promise.all(
      Array.from({ length: 100 }, async () => pages.read(PAGE_LENGTH)),
    );
    expect(loads.length).toBe(1);
    expect(new Set(read).size).toBe(1);
  });

  it('caches full pages', async () => {
    const { pages, loads } = pagesOf(PAGE_LENGTH);
    expect(await pages.read(0)).toBe(await pages.read(0));
    expect(loads).toEqual([0]);
  });

  it('fetches incomplete pages again', async () => {
    const { pages, loads } = pagesOf(1);
    await pages.read(0);
    await pages.read(0);
    expect(loads).toEqual([0, 0]);
  });
});
