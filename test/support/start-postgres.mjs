import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { EmbeddedServer } from '../../dist/src/database/embedded-server.js';

/** One real PostgreSQL for the whole run; every test file makes a database of its own on it. */
export default async function startPostgres() {
  Logger.overrideLogger(['warn', 'error']);
  const folder = await mkdtemp(join(tmpdir(), 'marathon-test-'));
  const server = new EmbeddedServer(join(folder, 'data'), `${folder}-socket`);
  await server.start();
  process.env.TEST_POSTGRES_SOCKET = `${folder}-socket`;
  globalThis.testPostgres = { server, folder };
}
