import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

describe('a list that takes PostgreSQL a minute to start', () => {
  let running: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp({ DB_DEADLINE_MS: '2400' });
    url = await running.app.getUrl();
    await running.http.post('/marathon/').send({ name: 'Boston' }).expect(201);
    await running.database.query(`
      ALTER TABLE marathon RENAME TO quick;
      CREATE VIEW marathon AS SELECT * FROM quick WHERE pg_sleep(60) IS NOT NULL`);
  });
  afterAll(async () => running.close());

  const untilAsked = async (isRunning: boolean) => {
    const sql = `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'`;
    while ((await running.database.query(sql)).length > 0 !== isRunning);
  };

  it('is cancelled when its client disconnects', async () => {
    const leaving = request(`${url}/marathon/`)
      .on('error', () => undefined)
      .end();
    await untilAsked(true);
    leaving.destroy();
    await untilAsked(false);
  });

  it('is cancelled at the deadline', async () => {
    const answer = await fetch(`${url}/marathon/`);
    expect(answer.status).toBe(503);
    await untilAsked(false);
  });
});
