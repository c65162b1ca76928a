import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

/** Matches even numbers of letters only. PostgreSQL tries every way to divide an odd number. */
const SLOW = String.raw`^(a+)(a+)(a+)(a+)(a+)\1\2\3\4\5$`;

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

  const untilRunning = async (isRunning: boolean) => {
    const sql = `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'`;
    while ((await running.database.query(sql)).length > 0 !== isRunning);
  };

  it('is cancelled when its client disconnects', async () => {
    const leaving = request(`${url}/marathon/`)
      .on('error', () => undefined)
      .end();
    await untilRunning(true);
    leaving.destroy();
    await untilRunning(false);
  });

  it('is cancelled at the deadline', async () => {
    const answer = await fetch(`${url}/marathon/`);
    expect(answer.status).toBe(503);
    await untilRunning(false);
  });
});

describe('a regular expression that takes PostgreSQL long', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp({ DB_DEADLINE_MS: '2000' });
    const rows = Array.from({ length: 500 }, () => ({ name: 'a'.repeat(99) }));
    await running.http.post('/marathon/').send(rows).expect(201);
  });
  afterAll(async () => running.close());

  it('is cancelled at the deadline, and delays no other request', async () => {
    const slow = running.http.get(`/marathon/?name=match.${encodeURIComponent(SLOW)}`);
    const [answer] = await Promise.all([slow, running.http.get('/marathon/1').expect(200)]);
    expect(answer.status).toBe(503);
    const active = `SELECT query FROM pg_stat_activity
                    WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'`;
    while ((await running.database.query(active)).length);
  });
});
