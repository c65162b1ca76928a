import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeysService } from './access/api-keys.service.js';
import { AppModule } from './app.module.js';
import type { Settings } from './config/settings.js';
import { SETTINGS } from './config/settings.module.js';
import { configureApp, makeAdapter } from './configure-app.js';
import { DatabaseStartup } from './database/database-startup.js';
import { listenOnAdminPort } from './operations/admin-port.js';
import { announce } from './operations/announce.js';
import { prepareShutdown } from './operations/graceful-shutdown.js';
import { makeLogger, NestLogger } from './operations/logger.js';
import { disablePretenuring } from './pretenuring.js';
import { isFirst, isWorker, tellPrimary } from './workers/this-worker.js';

/**
 * How many connections wait until they are accepted. Node's 511 are fewer than clients may connect at once, and those
 * that do not fit are answered seconds later. The kernel has a limit too, on Linux 4096 (`net.core.somaxconn`).
 */
const LISTEN_BACKLOG = 4096;

/** Serves until a signal arrives, or until the database turns out to be unusable. */
export async function runService(settings: Settings): Promise<void> {
  const { host, port, logLevel } = settings;
  const log = makeLogger(logLevel);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, makeAdapter(settings), {
    logger: new NestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    await configureApp(app, log);
    disablePretenuring();
    await app.listen({ port, host, backlog: LISTEN_BACKLOG });
    const adminPort = await listenOnAdminPort(app.getHttpAdapter().getInstance(), settings);
    if (adminPort !== undefined && isFirst) log.info({ context: 'Admin port' }, String(adminPort));
  } catch (error) {
    await app.close();
    throw error;
  }
  await serve(app);
}

async function serve(app: NestFastifyApplication): Promise<void> {
  const log = new Logger('Marathon registry');
  const shutDown = prepareShutdown(app);
  const stopped = onSignals(shutDown);
  if (isFirst) log.log(`Listening at ${await app.getUrl()}`);
  try {
    const database = app.get(DatabaseStartup);
    await database.ready;
    if (!database.isEnding) await sayReady(app, log);
  } catch (error) {
    await shutDown();
    throw error;
  }
  await stopped;
}

async function sayReady(app: NestFastifyApplication, log: Logger): Promise<void> {
  if (isWorker) tellPrimary({ kind: 'ready', url: await app.getUrl() });
  else announce(await app.getUrl());
  if (isFirst) await warnWithoutKeys(app, log);
}

/** Shuts down at the first signal. A terminal and the primary process may send one each. */
async function onSignals(shutDown: () => Promise<void>): Promise<void> {
  // the primary process restarts its workers at SIGHUP
  if (isWorker) process.on('SIGHUP', () => undefined);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  await shutDown();
}

async function warnWithoutKeys(app: NestFastifyApplication, log: Logger): Promise<void> {
  if (app.get<Settings>(SETTINGS).access === 'open') return;
  if (await app.get(ApiKeysService).hasKeys()) return;
  log.warn(
    'There is no API key yet, so nobody can write. Create one: npm run marathon -- key create --role admin --name "Me"',
  );
}
