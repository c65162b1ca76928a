import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startApp, type RunningApp } from './support/app.js';
import { store } from './support/store.js';

describe('a search on a server without pg_trgm and unaccent', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({}, asUserWithoutExtensions);
    await store(running, [
      { name: 'Zürich Marathon', city: 'Zürich' },
      { name: 'Run to Zürich', city: 'Basel' },
      { name: '100% Run_Wild', city: null },
    ]);
  });
  afterAll(async () => running.close());

  const find = async (words: string): Promise<string[]> => {
    const answer = await running.http.get(`/marathon/?q=${encodeURIComponent(words)}`).expect(200);
    return answer.body.marathon_list.map(({ name }: { name: string }) => name);
  };

  it('ignores case, and sorts names that begin with the text first', async () => {
    expect(await find('zürich')).toEqual(['Zürich Marathon', 'Run to Zürich']);
    expect(await find('ZÜRICH basel')).toEqual(['Run to Zürich']);
  });

  it('treats no character as a wildcard', async () => {
    expect(await find('0% run_w')).toEqual(['100% Run_Wild']);
  });

  it('does not ignore accents and typos', async () => {
    expect(await find('zurich')).toEqual([]);
  });
});

/** A role that cannot create extensions. */
async function asUserWithoutExtensions(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(`
      CREATE ROLE plain_${process.pid} LOGIN;
      GRANT ALL ON SCHEMA public TO plain_${process.pid}`);
  } finally {
    await client.end();
  }
  return url.replace('postgres@', `plain_${process.pid}@`);
}
