import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { findEmbeddedBinaries } from '../../src/embedded-postgres/binaries.js';
import { findServerUser } from '../../src/embedded-postgres/server-user.js';
import { query } from './database.js';

const SETTINGS = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '32MB',
  fsync: 'off',
  hot_standby_feedback: 'on',
  max_wal_senders: '8',
  wal_keep_size: '64MB',
  wal_retrieve_retry_interval: '100ms',
};

/** One of several servers with the same data. */
export interface ReplicatedServer {
  /** The folder of its socket. */
  host: string;
  url: string;
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  /** Ends it at once, as a crash of its machine does. */
  kill: () => Promise<void>;
  /** All of its processes hang, until the returned function is called. */
  stop: () => Promise<() => void>;
  promote: () => Promise<void>;
  /** From now on it acknowledges what its standby has, too. Resolves when the standby has all. */
  replicateSynchronously: () => Promise<void>;
  /** Its data is replaced by a copy of that of the primary, which it follows then. */
  follow: (primary: ReplicatedServer) => Promise<void>;
}

/** Resolves when a standby has what its primary has. */
export async function untilEqual(
  primary: ReplicatedServer,
  standby: ReplicatedServer,
): Promise<void> {
  const [end] = await primary.query('SELECT pg_current_wal_flush_lsn() lsn');
  const sql = `SELECT pg_last_wal_replay_lsn() >= '${String(end!.lsn)}' has_all`;
  while (!(await standby.query(sql))[0]!.has_all) await wait(20);
}

/** A primary and its standbys, by PostgreSQL's streaming replication. */
export async function startReplicatedServers(
  standbys: number,
  parent = process.env.TEST_RUN_FOLDER!,
) {
  const folder = await mkdtemp(join(parent, 'replicated-'));
  await chmod(folder, 0o755);
  const servers = await Promise.all(
    Array.from({ length: 1 + standbys }, async (_, index) => makeServer(folder, String(index))),
  );
  const [primary, ...others] = servers as [Server, ...Server[]];
  await primary.create();
  for (const standby of others) await standby.follow(primary);
  const hosts = servers.map(({ host }) => host).join(',');
  return {
    primary,
    standbys: others,
    servers,
    /** Names all of them. */
    url: `postgresql://postgres@/postgres?host=${encodeURIComponent(hosts)}`,
    close: async () => {
      for (const server of servers) await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Server = Awaited<ReturnType<typeof makeServer>>;

async function makeServer(folder: string, name: string) {
  const user = findServerUser();
  const binaries = await findEmbeddedBinaries('/var/cache/marathon-registry');
  const [data, host] = [join(folder, name), join(folder, `${name}s`)];
  const url = `postgresql://postgres@/postgres?host=${encodeURIComponent(host)}`;
  let child: ChildProcess | undefined;
  await mkdir(host, { mode: 0o700 });
  if (user) await chown(host, user.uid, user.gid);
  const run = (program: string, words: string[]) =>
    spawn(program, words, { ...user, stdio: 'ignore' });
  const configure = async (settings: Record<string, string>) =>
    writeFile(
      join(data, 'postgresql.auto.conf'),
      Object.entries(settings)
        .map(([key, value]) => `${key} = '${value}'\n`)
        .join(''),
    );
  const start = async () => {
    child = run(binaries.postgres, ['-D', data, '-k', host]);
    await untilAnswering(url);
  };
  const server = {
    host,
    url,
    query: async (sql: string) => query(url, sql),
    kill: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      // all processes end at once, without a checkpoint
      child.kill('SIGQUIT');
      await ended;
    },
    stop: async () => {
      const backends = await query(url, 'SELECT pid FROM pg_stat_activity');
      const pids = [child!.pid, ...backends.map(({ pid }) => pid)] as number[];
      const send = (signal: 'SIGSTOP' | 'SIGCONT') => {
        // the last one is the connection that asked
        for (const pid of pids) spawnSync('kill', [`-${signal}`, String(pid)]);
      };
      send('SIGSTOP');
      return () => send('SIGCONT');
    },
    promote: async () => {
      await query(url, 'SELECT pg_promote(true, 30)');
    },
    replicateSynchronously: async () => {
      await query(url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
      await query(url, 'SELECT pg_reload_conf()');
      const inSync = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'";
      while (!(await query(url, inSync)).length) await wait(20);
    },
    create: async () => {
      await mkdir(data, { mode: 0o700 });
      if (user) await chown(data, user.uid, user.gid);
      const words = ['-D', data, '--username=postgres', '--auth=trust', '--no-sync', '--locale=C'];
      await once(run(binaries.initdb, [...words, '--encoding=UTF8']), 'exit');
      await configure(SETTINGS);
      await start();
    },
    follow: async (primary: ReplicatedServer) => {
      await server.kill();
      await rm(data, { recursive: true, force: true });
      await copyData(primary, data);
      const from = `host=${primary.host} user=postgres application_name=standby${name}`;
      await configure({ ...SETTINGS, primary_conninfo: from });
      await writeFile(join(data, 'standby.signal'), '');
      if (user) await once(spawn('chown', ['-R', `${user.uid}:${user.gid}`, data]), 'exit');
      await start();
    },
  };
  return server;
}

/** A copy of a running server: https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP */
async function copyData(primary: ReplicatedServer, to: string): Promise<void> {
  const client = new pg.Client(primary.url);
  await client.connect();
  try {
    const [{ from }] = (await client.query("SELECT current_setting('data_directory') AS from"))
      .rows as [{ from: string }];
    await client.query("SELECT pg_backup_start('copy', true)");
    // files that vanish while they are copied belong to transactions that the log repeats
    await once(spawn('cp', ['-R', from, to], { stdio: 'ignore' }), 'exit');
    const [{ labelfile }] = (await client.query('SELECT labelfile FROM pg_backup_stop(false)'))
      .rows as [{ labelfile: string }];
    await writeFile(join(to, 'backup_label'), labelfile);
    for (const file of ['postmaster.pid', 'postmaster.opts', 'standby.signal'])
      await rm(join(to, file), { force: true });
  } finally {
    await client.end();
  }
}

async function untilAnswering(url: string): Promise<void> {
  const endsAt = Date.now() + 30_000;
  for (;;) {
    try {
      await query(url, 'SELECT 1');
      return;
    } catch (error) {
      if (Date.now() > endsAt) throw error;
      await wait(50);
    }
  }
}
