import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeysService } from './access/api-keys.service.js';
import { AppModule } from './app.module.js';
import { loadSettings, type Settings } from './config/settings.js';
import { SETTINGS } from './config/settings.module.js';
import { configureApp, makeAdapter } from './configure-app.js';
import { DatabaseStartup } from './database/database-startup.js';
import { listenOnAdminPort } from './operations/admin-port.js';
import { prepareShutdown } from './operations/graceful-shutdown.js';
import { makeLogger, NestLogger } from './operations/logger.js';
import { explainStartupError } from './operations/startup-errors.js';

async function main(): Promise<void> {
  const settings = loadSettings();
  const { host, port, logLevel } = settings;
  const log = makeLogger(logLevel);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, makeAdapter(settings), {
    logger: new NestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    await configureApp(app, log);
    await app.listen(port, host);
    const adminPort = await listenOnAdminPort(app.getHttpAdapter().getInstance(), settings);
    if (adminPort !== undefined) log.info({ context: 'Admin port' }, `${adminPort}`);
  } catch (error) {
    await app.close();
    throw error;
  }
  await serve(app);
}

/** Serves until a signal arrives, or until the database turns out to be unusable. */
async function serve(app: NestFastifyApplication): Promise<void> {
  const log = new Logger('Marathon registry');
  const shutDown = prepareShutdown(app);
  const stop = () => void shutDown().catch(fail);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  log.log(`Listening at ${await app.getUrl()}`);
  try {
    await app.get(DatabaseStartup).ready;
    log.log(`Page: ${await app.getUrl()}/`);
    log.log(`API: ${await app.getUrl()}/marathon/`);
    log.log(`Documentation: ${await app.getUrl()}/docs`);
    await warnWithoutKeys(app, log);
  } catch (error) {
    await shutDown();
    throw error;
  }
}

async function warnWithoutKeys(app: NestFastifyApplication, log: Logger): Promise<void> {
  if (app.get<Settings>(SETTINGS).access === 'open') return;
  if (await app.get(ApiKeysService).hasKeys()) return;
  log.warn(
    'There is no API key yet, so nobody can write. Create one: npm run marathon -- key create --role admin --name "Me"',
  );
}

function fail(error: unknown): void {
  console.error(explainStartupError(error));
  process.exitCode = 1;
}

await main().catch(fail);
