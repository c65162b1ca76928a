import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { configureApp, makeAdapter } from './configure-app.js';
import { environment } from './environment.js';
import { makeLogger } from './logger.js';
import { explainStartFailure } from './start-failure.js';

const SWEEP_MS = 50;
const DRAIN_LIMIT_MS = 10_000;

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
  stopOnSignal(app);
  new Logger('Marathon registry').log(`API: ${await app.getUrl()}/marathon/`);
}

/** Requests in flight are answered, then the pool closes, then the embedded server. */
function stopOnSignal(app: NestFastifyApplication): void {
  const stop = () => void drain(app).catch(stopWith);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/** A connection that was busy when the end was called stays open after its answer, unless closed. */
async function drain(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const impatience = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(impatience);
  }
}

function stopWith(error: unknown): void {
  console.error(explainStartFailure(error));
  process.exitCode = 1;
}

await main().catch(stopWith);
