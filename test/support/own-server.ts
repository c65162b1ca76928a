import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import pg from 'pg';
import { EmbeddedServer } from '../../src/embedded-postgres/embedded-server.js';

const STARTING = new Set(['57P03', 'ENOENT', 'ECONNREFUSED', 'ECONNRESET']);

/** A PostgreSQL of one test, which can be stopped, killed and restarted. */
export async function startOwnServer() {
  Logger.overrideLogger(false);
  // in the folder of the run, so that an interrupted run removes it
  const folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER ?? tmpdir(), 'own-'));
  await chmod(folder, 0o755);
  const socketFolder = join(folder, 'socket');
  const server = new EmbeddedServer(join(folder, 'data'), socketFolder);
  const url = `postgresql://postgres@/postgres?host=${encodeURIComponent(socketFolder)}`;
  await server.start();
  return {
    url,
    query: async (sql: string) => query(url, sql),
    start: async () => server.start(),
    stop: async () => server.stop(),
    /** Resolves when it accepts connections again. */
    restart: async (signal: NodeJS.Signals) => {
      const pid = await readPid(folder);
      process.kill(pid, signal);
      for (;;) {
        const isAnother = (await readPid(folder).catch(() => pid)) !== pid;
        if (isAnother && (await isListening(join(socketFolder, '.s.PGSQL.5432')))) return;
        await wait(20);
      }
    },
    close: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Retries while the server is starting. */
async function connect(url: string): Promise<pg.Client> {
  for (;;) {
    const client = new pg.Client(url);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (!STARTING.has((error as { code?: string }).code ?? '')) throw error;
      await wait(20);
    }
  }
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = await connect(url);
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The server writes its process id there when it starts. */
async function readPid(folder: string): Promise<number> {
  const file = join(folder, 'data', 'postgresql-18', 'postmaster.pid');
  return Number((await readFile(file, 'utf8')).split('\n')[0]);
}

async function isListening(socketPath: string): Promise<boolean> {
  const socket = connectTo(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
