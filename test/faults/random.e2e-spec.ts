import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { causeFault, pauseBetweenBursts } from '../support/connection-faults.js';
import { reportFault } from '../support/fault-report.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';
import { RandomRequests } from '../support/random-requests.js';
import { seed } from '../support/seed.js';
import { startService } from '../support/service.js';

const SECONDS = process.env.SOAK_MINUTES ? 60 * Number(process.env.SOAK_MINUTES) : 60;
const DEADLINE_MS = 8000;
const TOLERANCE_MS = 250;
const STOP_TIMEOUT_MS = 5000;

describe(`requests of every kind, through ${SECONDS} seconds of random faults with the seed ${seed}`, () => {
  let database: TestDatabase;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let services: Awaited<ReturnType<typeof startService>>[];
  let requests: RandomRequests;
  let differences: string[];
  let ends: Awaited<ReturnType<(typeof services)[number]['stop']>>[];
  let stopMs: number;
  const faults: Record<string, number> = {};

  beforeAll(
    async () => {
      database = await createDatabase();
      proxy = await startProxy(database.url);
      const settings = { DATABASE_URL: proxy.url, DB_DEADLINE_MS: String(DEADLINE_MS) };
      services = await Promise.all(
        ['1', '55'].map(async (DB_RECYCLE_SECONDS) =>
          startService({ ...settings, DB_RECYCLE_SECONDS }),
        ),
      );
      requests = new RandomRequests(
        services.map(({ url }) => url),
        DEADLINE_MS + TOLERANCE_MS,
      );
      const endsAt = Date.now() + 1000 * SECONDS;
      while (Date.now() < endsAt) {
        const fault = await causeFault(proxy);
        faults[fault] = (faults[fault] ?? 0) + 1;
        await requests.burst(fault);
        proxy.breakBy({});
        await pauseBetweenBursts();
      }
      console.log(JSON.stringify({ seed, ...requests.statistics, faults }));
      differences = await requests.compare(database);
      // the service shuts down while its connections are silent
      for (const link of proxy.links) link.isSilent = true;
      const stoppedAt = Date.now();
      ends = await Promise.all(services.map(async ({ stop }) => stop()));
      stopMs = Date.now() - stoppedAt;
      if (requests.problems.length) console.log(ends.map(({ stderr }) => stderr).join('\n'));
    },
    1000 * SECONDS + 120_000,
  );
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  it('17: succeed as without faults', async () => {
    const { requests: requestCount, failed, slowestMs } = requests.statistics;
    const doubled = differences.filter((difference) => difference.includes('created')).length;
    const lost = differences.length - doubled;
    const outcome = { requestCount, failed, lost, doubled, slowestMs };
    await reportFault(outcome, { slowestMs: DEADLINE_MS + TOLERANCE_MS });
    expect(requests.problems).toEqual([]);
    expect(requests.statistics.requests).toBeGreaterThan(SECONDS);
  });

  it('are never answered after the deadline', () => {
    expect(requests.late).toEqual([]);
  });

  it('are stored exactly once if they are acknowledged', () => {
    expect(differences).toEqual([]);
  });

  it('18: do not prevent a shutdown while all connections are silent', () => {
    const expected = services.map(() => ({ exitCode: 0, signal: null }));
    expect(ends.map(({ exitCode, signal }) => ({ exitCode, signal }))).toEqual(expected);
    expect(stopMs).toBeLessThan(STOP_TIMEOUT_MS);
  });
});
