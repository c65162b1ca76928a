import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdLaws, writeFor, type Written } from './support/laws.js';
import { PROGRAMS, startPatroni } from './support/patroni.js';
import { isInstalled } from './support/programs.js';
import { startService } from './support/service.js';
import { untilMore, type Writers } from './support/writers.js';

/** With `KILLS=20`, for `docs/scale.md`. */
const KILLS = Number(process.env.KILLS ?? 1);
const MAX_SECONDS_EACH = 60;

// Debian's packages, which `.ci/run` installs; users need none of them
(PROGRAMS.every(isInstalled) ? describe : describe.skip)(
  'the journal, while primaries are killed under Patroni, behind HAProxy',
  () => {
    let servers: Awaited<ReturnType<typeof startPatroni>>;
    let written: Written;
    const outagesMs: number[] = [];

    beforeAll(
      async () => {
        servers = await startPatroni();
        const settings = { DATABASE_URL: servers.url, DB_DEADLINE_MS: '60000' };
        const { url, stop } = await startService(settings);
        const kill = async (until: AbortSignal, writers: Writers, end: () => void) => {
          for (let count = 0; count < KILLS && !until.aborted; count += 1) {
            await servers.untilSynchronous();
            await untilMore(writers, 200);
            await servers.killPrimary();
            const killedAt = Date.now();
            // what was acknowledged before the kill may still arrive
            await wait(100);
            await untilMore(writers, 1);
            outagesMs.push(Date.now() - killedAt);
          }
          end();
        };
        written = await writeFor(KILLS * MAX_SECONDS_EACH, [url], servers, kill);
        await stop();
      },
      KILLS * MAX_SECONDS_EACH * 1000 + 120_000,
    );
    afterAll(async () => servers.close());

    holdLaws(() => written);

    it('goes on after each of them', () => {
      expect(outagesMs).toHaveLength(KILLS);
      if (process.env.KILLS) console.log({ outagesMs: outagesMs.toSorted((a, b) => a - b) });
    });
  },
);
