import { execFileSync } from 'node:child_process';
import type { Headers } from './load.js';
import { untilIndexed } from './search-index.js';
import { NODE_FLAGS, startProcess, type RunningPeer } from './processes.js';
import { createKey, NOTHING_ON, startService } from './service.js';
import { addRows, query, seed, writeRows, type BenchServer } from './postgres.js';

const BUILT = new URL('.', import.meta.url).pathname;
const SOURCES = new URL('../../bench/', import.meta.url).pathname;
const [POOL_SIZE, WORKERS, THREADS] = [10, 2, 8];

/** A server that answers the same requests. */
export interface Peer {
  name: string;
  /** Whether it is installed on this machine. */
  isInstalled: () => boolean;
  /** Starts it with a database of its own and this number of rows. */
  start: (server: BenchServer, rows: number) => Promise<StartedPeer>;
}

interface PeerDatabase {
  name: string;
  /** With an API key, if it is required. */
  headers?: Headers;
  databaseUrl: string;
}

export interface StartedPeer extends RunningPeer, PeerDatabase {
  /** Replaces its process. Each one is a little faster or slower than another, for as long as it lives. */
  restart: () => Promise<void>;
}

export const OURS = 'this service';
export const BARE = 'bare node:http + pg, prepared';
export const GUIDE = "the guide's app";
export const NO_DATABASE = 'bare node:http, no database';
export const NEST = 'Nest on Express, TypeORM find / save';

const PYTHONS = ['python3', '/usr/bin/python3'];
const NEEDED = 'import flask_sqlalchemy, psycopg2, gunicorn';

export const PEERS: Peer[] = [
  { name: OURS, isInstalled: () => true, start: startOurs },
  { name: BARE, isInstalled: () => true, start: startNode(BARE, 'bare') },
  { name: NO_DATABASE, isInstalled: () => true, start: startNode(NO_DATABASE, 'without-database') },
  { name: NEST, isInstalled: () => true, start: startNode(NEST, 'nest-express') },
  { name: GUIDE, isInstalled: () => Boolean(findPython()), start: startGuide },
];

/** Starts the peers with these names. */
export async function startPeer(server: BenchServer, name: string, rows: number) {
  return PEERS.find((peer) => peer.name === name)!.start(server, rows);
}

/** Starts this service, or the one built in `folder`, with a database of its own and this number of rows. */
export async function startOurs(
  server: BenchServer,
  rows: number,
  others: Record<string, string> = {},
  folder?: string,
): Promise<StartedPeer> {
  const databaseUrl = await server.createDatabase(nextName());
  const settings = { DATABASE_URL: databaseUrl, DB_POOL_SIZE: String(POOL_SIZE) };
  const headers = others.ACCESS ? await createKey(databaseUrl) : {};
  const run = async () => {
    const started = await startService(
      { ...settings, ...NOTHING_ON, ...others },
      undefined,
      folder,
    );
    await untilIndexed(databaseUrl);
    return started;
  };
  const peer = await startOn({ name: OURS, databaseUrl, headers }, run);
  if (rows) await growTo(peer, 1, rows);
  return peer;
}

function startNode(name: string, file: string) {
  return async (server: BenchServer, rows: number): Promise<StartedPeer> => {
    const databaseUrl = await server.createDatabase(nextName());
    await seed(databaseUrl, rows);
    const settings = { DATABASE_URL: databaseUrl, DB_POOL_SIZE: String(POOL_SIZE) };
    const words = [...NODE_FLAGS, `${BUILT}peers/${file}.js`];
    return startOn({ name, databaseUrl }, async () =>
      startProcess(process.execPath, words, settings),
    );
  };
}

async function startGuide(server: BenchServer, rows: number): Promise<StartedPeer> {
  const databaseUrl = await server.createDatabase(nextName());
  await seed(databaseUrl, rows);
  const settings = {
    DATABASE_URL: databaseUrl,
    DB_POOL_SIZE: String(POOL_SIZE),
    WORKERS: String(WORKERS),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const words = ['-m', 'gunicorn', '--chdir', `${SOURCES}peers`, '--bind', '127.0.0.1:0'];
  const size = ['--workers', String(WORKERS), '--threads', String(THREADS), 'guide:app'];
  const run = async () => startProcess(findPython()!, [...words, ...size], settings);
  return startOn({ name: GUIDE, databaseUrl }, run);
}

async function startOn(
  database: PeerDatabase,
  run: () => Promise<RunningPeer>,
): Promise<StartedPeer> {
  const restart = async () => {
    await peer.stop();
    Object.assign(peer, await run());
  };
  const peer = { ...database, ...(await run()), restart };
  return peer;
}

let databases = 0;
function nextName(): string {
  databases += 1;
  return `bench_${databases}`;
}

function findPython(): string | undefined {
  return PYTHONS.find((python) => {
    try {
      execFileSync(python, ['-c', NEEDED], { stdio: 'pipe' });
      return true;
    } catch {
      // the results say that it is left out
      return false;
    }
  });
}

/** Stores the rows from `first` to `last`; in this service by an import, so that they are journaled. */
export async function growTo(peer: StartedPeer, first: number, last: number): Promise<void> {
  if (peer.name !== OURS) return addRows(peer.databaseUrl, first, last);
  await importRows(peer, writeRows(first, last));
  await untilIndexed(peer.databaseUrl);
  await query(peer.databaseUrl, 'VACUUM ANALYZE marathon');
}

/** Imports a file into this service. */
export async function importRows(
  { url, headers: key }: Pick<StartedPeer, 'url' | 'headers'>,
  body: string,
): Promise<void> {
  const headers = { ...key, 'Content-Type': 'text/csv' };
  const answer = await fetch(`${url}/marathon/`, { method: 'POST', headers, body });
  if (answer.status !== 201) throw new Error(await answer.text());
}
