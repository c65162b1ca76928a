import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { startApp, type RunningApp } from './support/app.js';

describe('a connection', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp({ DB_RECYCLE_SECONDS: '1' })));
  afterAll(async () => running.close());

  it('is not used any more once it is as old as DB_RECYCLE_SECONDS', async () => {
    const dataSource = running.app.get(DataSource);
    const pool = (dataSource.driver as unknown as { master: Pool }).master;
    const ask = async () => dataSource.query('SELECT pg_backend_pid() AS pid');
    const [before] = await ask();
    await once(pool, 'remove');
    const [after] = await ask();
    expect(after.pid).not.toBe(before.pid);
  });
});
