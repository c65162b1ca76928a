import { Logger } from '@nestjs/common';
import type { Settings } from './config/settings.js';
import { EmbeddedServer } from './embedded-postgres/embedded-server.js';
import { announce } from './operations/announce.js';
import { makeLogger, NestLogger } from './operations/logger.js';
import { WorkerPool } from './workers/worker-pool.js';

/**
 * Runs the service in several processes, which share one port, until a signal arrives. SIGHUP replaces the
 * workers one after another. An embedded server belongs to this process, so that it outlives its workers.
 */
export async function superviseWorkers(settings: Settings): Promise<void> {
  Logger.overrideLogger(new NestLogger(makeLogger(settings.logLevel)));
  const { database, dataFolder, embeddedSocketFolder } = settings;
  const server = database ? undefined : new EmbeddedServer(dataFolder, embeddedSocketFolder);
  await server?.start();
  const pool = new WorkerPool(settings.workers, announce);
  const stop = () => void pool.stop();
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // a terminal that is closed sends it too
  process.on('SIGHUP', () => void (process.stdout.isTTY ? pool.stop() : pool.restart()));
  try {
    await pool.run();
  } finally {
    await server?.stop();
  }
}
