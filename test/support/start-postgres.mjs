import { chmod, mkdtemp } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { EmbeddedServer } from '../../dist/src/embedded-postgres/embedded-server.js';
import { startPooler } from './pooler.mjs';
import { killDescendants, stopAll } from './stop-all.mjs';

/** Starts one PostgreSQL for the whole run. Every test file creates a database on it. */
export default async function startPostgres() {
  Logger.overrideLogger(['warn', 'error']);
  const folder = await mkdtemp(join(tmpdir(), 'marathon-test-'));
  // as root, the server runs as another user
  await chmod(folder, 0o755);
  const socketFolder = join(folder, 'socket');
  const server = new EmbeddedServer(join(folder, 'data'), socketFolder);
  const interruption = stopWhenInterrupted({ server, folder });
  try {
    await server.start();
  } catch (error) {
    // Jest would exit before everything is stopped
    if (interruption.hasCome) await new Promise(() => undefined);
    throw error;
  }
  process.env.TEST_RUN_FOLDER = folder;
  process.env.TEST_POSTGRES_SOCKET = socketFolder;
  // with TEST_PGBOUNCER=1 the services of all tests are behind PgBouncer
  const pooler = process.env.TEST_PGBOUNCER ? await startPooler(socketFolder) : undefined;
  process.env.TEST_SERVICE_SOCKET = pooler?.socketFolder ?? socketFolder;
  globalThis.testPostgres = { server, folder, pooler };
}

/** An interrupted run stops everything that it started. */
function stopWhenInterrupted(run) {
  const interruption = { hasCome: false };
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      interruption.hasCome = true;
      void interrupt(run).finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  return interruption;
}

async function interrupt(run) {
  try {
    // first, because it restarts killed processes
    await run.server.stop();
    killDescendants();
    await stopAll(run);
  } catch (error) {
    console.error(error);
  }
}
