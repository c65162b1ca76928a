import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { createDatabase, type TestDatabase } from './database.js';

/** The service in this process, with a database of its own. */
export interface RunningApp {
  app: NestFastifyApplication;
  http: ReturnType<typeof supertest>;
  database: TestDatabase;
  close: () => Promise<void>;
}

/**
 * Starts the service with settings from the environment. `connectVia` may put a proxy in front of the
 * database.
 */
export async function startApp(
  settings: Record<string, string> = {},
  connectVia = async (url: string) => url,
): Promise<RunningApp> {
  const database = await createDatabase();
  const DATABASE_URL = await connectVia(database.url);
  Object.assign(process.env, { DATABASE_URL, LOG_LEVEL: 'silent', ...settings });
  const { AppModule } = await import('../../src/app.module.js');
  const { configureApp, makeAdapter } = await import('../../src/configure-app.js');
  const { DatabaseStartup } = await import('../../src/database/database-startup.js');
  const { prepareShutdown } = await import('../../src/operations/graceful-shutdown.js');
  if (process.env.STOCK_POOL) {
    const { useStockPool } = await import('./stock-pool.mjs');
    useStockPool(
      await import('../../src/pool/recycling-pool.js'),
      await import('../../src/database/database-startup.js'),
    );
  }
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = testing.createNestApplication<NestFastifyApplication>(makeAdapter(), {
    bodyParser: false,
    logger: false,
  });
  await configureApp(app);
  await app.listen(0, '127.0.0.1');
  await app.get(DatabaseStartup).ready;
  const drain = prepareShutdown(app);
  const close = async () => {
    await drain();
    await database.drop();
  };
  return { app, http: supertest(await app.getUrl()), database, close };
}
