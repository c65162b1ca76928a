import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseConnectionString } from '../src/config/connection-string.js';
import { RecyclingPool } from '../src/pool/recycling-pool.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { startProxy } from './support/proxy.js';
import { startService } from './support/service.js';
import { ANOTHER_AUTHORITY, AUTHORITY, startTlsServer } from './support/tls-server.js';

const [RIGHT, WRONG] = [`&sslrootcert=${AUTHORITY}`, `&sslrootcert=${ANOTHER_AUTHORITY}`];

describe('sslmode', () => {
  let database: TestDatabase;
  let servers: Record<string, { port: number; close: () => Promise<void> }>;

  beforeAll(async () => {
    database = await createDatabase();
    const plain = await startProxy(database.url);
    servers = {
      plain: { ...plain, port: Number(new URL(plain.url).port) },
      'with TLS': await startTlsServer(database.url),
      'insisting on TLS': await startTlsServer(database.url, { refusesPlain: true }),
    };
  });
  afterAll(async () => {
    await Promise.all(Object.values(servers).map(async ({ close }) => close()));
    await database.drop();
  });

  const urlOf = (server: string, query: string, host = 'localhost') => {
    const name = new URL(database.url.replace('@/', '@x/')).pathname;
    return `postgresql://postgres@${host}:${servers[server]!.port}${name}?${query}`;
  };
  it.each([
    ['disable', 'plain', 'plain'],
    ['disable', 'with TLS', 'plain'],
    ['disable', 'insisting on TLS', 'no encryption'],
    ['allow', 'plain', 'plain'],
    ['allow', 'with TLS', 'plain'],
    ['allow', 'insisting on TLS', 'encrypted'],
    ['prefer', 'plain', 'plain'],
    ['prefer', 'with TLS', 'encrypted'],
    ['prefer', 'insisting on TLS', 'encrypted'],
    ['require', 'plain', 'does not support SSL'],
    ['require', 'with TLS', 'encrypted'],
    ['no-verify', 'with TLS', 'encrypted'],
    [`require${RIGHT}`, 'with TLS', 'encrypted'],
    [`require${WRONG}`, 'with TLS', 'unable to verify'],
    [`verify-ca${RIGHT}`, 'with TLS', 'encrypted'],
    [`verify-ca${WRONG}`, 'with TLS', 'unable to verify'],
    [`verify-full${RIGHT}`, 'with TLS', 'encrypted'],
    [`verify-full${WRONG}`, 'with TLS', 'unable to verify'],
    ['verify-full', 'with TLS', 'unable to verify'],
    ['verify-full&sslrootcert=system', 'with TLS', 'unable to verify'],
    ['verify-full', 'plain', 'does not support SSL'],
  ])('%s with a server %s: %s', async (mode, server, way) => {
    expect(await reach(urlOf(server, `sslmode=${mode}`))).toContain(way);
  });

  it.each([
    ['verify-ca', 'encrypted'],
    ['verify-full', 'altnames'],
  ])('%s with a certificate for another host name: %s', async (mode, way) => {
    const url = urlOf('with TLS', `sslmode=${mode}${RIGHT}`, '127.0.0.1');
    expect(await reach(url)).toContain(way);
  });

  it.each([
    ['with TLS', 'verify-full', 'Name its authority in DATABASE_URL with sslrootcert=FILE'],
    ['plain', 'require', 'sslmode=prefer to use what the server offers'],
  ])('ends the start with a server %s and %s, with advice', async (server, mode, message) => {
    const DATABASE_URL = urlOf(server, `sslmode=${mode}`);
    await expect(startService({ DATABASE_URL })).rejects.toThrow(message);
  });

  it('defaults to PGSSLMODE, and the other parts of DATABASE_URL to the other PG variables', async () => {
    const { hostname, port, pathname } = new URL(urlOf('with TLS', ''));
    const service = await startService({
      DATABASE_URL: 'postgresql://',
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: 'postgres',
      PGDATABASE: pathname.slice(1),
      PGSSLMODE: 'verify-full',
      NODE_EXTRA_CA_CERTS: AUTHORITY,
    });
    expect((await fetch(`${service.url}/marathon/`)).status).toBe(200);
    await service.stop();
  });
});

/** How the server was reached, by two concurrent connections. */
async function reach(url: string): Promise<string> {
  const settings = parseConnectionString(url);
  const pool = new RecyclingPool({ max: 2, recycleSeconds: 55, deadlineMs: 3000, ...settings });
  try {
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    return pool.options.ssl ? 'encrypted' : 'plain';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await pool.end();
  }
}
