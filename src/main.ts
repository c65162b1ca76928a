import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { configureApp, makeAdapter } from './configure-app.js';
import { DatabaseOpening } from './database/opening.js';
import { makeDrain } from './drain.js';
import { environment } from './environment.js';
import { makeLogger } from './logger.js';
import { explainStartFailure } from './start-failure.js';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, makeAdapter(), {
    logger: makeLogger(),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    await configureApp(app);
    await app.listen(environment.port, environment.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  await serve(app);
}

/** Ends by a signal, or where the database refuses us for good. */
async function serve(app: NestFastifyApplication): Promise<void> {
  const log = new Logger('Marathon registry');
  const drain = makeDrain(app);
  const stop = () => void drain().catch(stopWith);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  log.log(`Listening at ${await app.getUrl()}`);
  try {
    await app.get(DatabaseOpening).opened;
    log.log(`API: ${await app.getUrl()}/marathon/`);
  } catch (error) {
    await drain();
    throw error;
  }
}

function stopWith(error: unknown): void {
  console.error(explainStartFailure(error));
  process.exitCode = 1;
}

await main().catch(stopWith);
