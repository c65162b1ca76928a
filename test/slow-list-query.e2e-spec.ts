import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

/** Matches even numbers of letters only. PostgreSQL tries every way to divide an odd number. */
const SLOW = String.raw`^(a+)(a+)(a+)(a+)(a+)\1\2\3\4\5$`;

describe('a list that takes PostgreSQL an hour to start', () => {
  // the service watches its clients after 20 milliseconds
  it.each([0, 200])('is cancelled when its client disconnects after %i ms', async (afterMs) => {
    await withSlowList('600000', async (running) => {
      const leaving = request(`${await running.app.getUrl()}/marathon/`)
        .on('error', () => undefined)
        .end();
      await untilRunning(running, true, afterMs);
      leaving.destroy();
      await untilRunning(running, false);
    });
  });

  it('is cancelled at the deadline', async () => {
    await withSlowList('2400', async (running) => {
      await running.http.get('/marathon/').expect(503);
      await untilRunning(running, false);
    });
  });
});

async function withSlowList(
  deadlineMs: string,
  work: (running: RunningApp) => Promise<void>,
): Promise<void> {
  const running = await startApp({ DB_DEADLINE_MS: deadlineMs });
  try {
    await running.http.post('/marathon/').send({ name: 'Boston' }).expect(201);
    await running.database.query(`
      ALTER TABLE marathon RENAME TO quick;
      CREATE VIEW marathon AS SELECT * FROM quick WHERE pg_sleep(3600) IS NOT NULL`);
    await work(running);
  } finally {
    await running.close();
  }
}

async function untilRunning(
  { database }: RunningApp,
  isRunning: boolean,
  forMs = 0,
): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity
               WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'
               AND clock_timestamp() - query_start >= interval '${forMs} ms'`;
  while ((await database.query(sql)).length > 0 !== isRunning);
}

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
