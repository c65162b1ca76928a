import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { CITUS_URL } from './citus.js';
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
 * database. Without `existing`, a database is created, and dropped when the service is closed.
 */
export async function startApp(
  settings: Record<string, string> = {},
  connectVia = async (url: string) => url,
  existing?: TestDatabase,
): Promise<RunningApp> {
  const database = existing ?? (await createDatabase());
  const DATABASE_URL = await connectVia(database.url);
  const environment = { ...process.env };
  const DB_DISTRIBUTE = CITUS_URL ? 'citus' : 'none';
  Object.assign(process.env, { DATABASE_URL, DB_DISTRIBUTE, LOG_LEVEL: 'silent', ...settings });
  const { AppModule } = await import('../../src/app.module.js');
  const { configureApp, makeAdapter } = await import('../../src/configure-app.js');
  const { SETTINGS } = await import('../../src/config/settings.module.js');
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
  for (const name of Object.keys(settings)) delete process.env[name];
  Object.assign(process.env, environment);
  const app = testing.createNestApplication<NestFastifyApplication>(
    makeAdapter(testing.get(SETTINGS)),
    {
      bodyParser: false,
      logger: false,
    },
  );
  const { makeLogger } = await import('../../src/operations/logger.js');
  await configureApp(app, makeLogger(testing.get(SETTINGS).logLevel));
  await app.listen(0, '127.0.0.1');
  const shutDown = prepareShutdown(app);
  try {
    await app.get(DatabaseStartup).ready;
  } catch (error) {
    await shutDown();
    throw error;
  }
  const close = async () => {
    await shutDown();
    if (!existing) await database.drop();
  };
  return { app, http: supertest(await app.getUrl()), database, close };
}
