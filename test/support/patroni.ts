import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findServerUser } from '../../src/embedded-postgres/server-user.js';
import { query } from './database.js';
import { findFreePorts } from './free-ports.js';

const BINARIES = '/usr/lib/postgresql/15/bin';
export const PROGRAMS = ['etcd', 'patroni', 'haproxy'];
const POLL_MS = 50;

type Role = 'primary' | 'synchronous';

/** Two servers under Patroni with synchronous replication, etcd, and HAProxy in front of the primary. */
export async function startPatroni() {
  const user = findServerUser();
  const folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER!, 'patroni-'));
  const [proxy, etcd, etcdPeer, ...others] = (await findFreePorts(7)) as [number, number, number];
  const nodes = [0, 1].map((index) => ({
    name: `node${index}`,
    data: join(folder, `node${index}`, 'data'),
    api: others[index]!,
    port: others[index + 2]!,
  }));
  const children: ChildProcess[] = [];
  const run = (program: string, words: string[]) => {
    children.push(spawn(program, words, { ...user, cwd: folder, stdio: 'ignore' }));
  };
  await chmod(folder, 0o755);
  for (const { name } of nodes) await mkdir(join(folder, name));
  await writeFile(join(folder, 'haproxy.cfg'), haproxy(proxy, nodes));
  for (const node of nodes)
    await writeFile(join(folder, `${node.name}.yml`), patroni(node, etcd, folder));
  for (const path of ['', ...nodes.map(({ name }) => name)])
    if (user) await chown(join(folder, path), user.uid, user.gid);
  const [client, peer] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${etcdPeer}`];
  run('etcd', [
    `--data-dir=${folder}/etcd`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ]);
  for (const { name } of nodes) run('patroni', [join(folder, `${name}.yml`)]);
  run('haproxy', ['-f', join(folder, 'haproxy.cfg')]);

  const find = async (role: Role) => {
    for (;;) {
      for (const node of nodes) if (await hasRole(node.api, role)) return node;
      await wait(POLL_MS);
    }
  };
  const url = `postgresql://postgres@127.0.0.1:${proxy}/postgres?sslmode=disable`;
  await find('primary');
  await find('synchronous');
  return {
    /** Of the primary, by HAProxy. */
    url,
    query: async (sql: string) => query(url, sql),
    /** Resolves when the standby has all that the primary acknowledges. */
    untilSynchronous: async () => void (await find('synchronous')),
    /** Ends the processes of the primary, as a crash does. */
    killPrimary: async () => {
      const { data } = await find('primary');
      const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
      process.kill(pid, 'SIGKILL');
    },
    close: async () => {
      for (const child of children.toReversed()) {
        const ended = once(child, 'exit');
        if (child.exitCode === null && child.kill('SIGTERM')) await ended;
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

interface Node {
  name: string;
  data: string;
  api: number;
  port: number;
}

/** https://patroni.readthedocs.io/en/latest/rest_api.html */
async function hasRole(api: number, role: Role): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${api}/${role}`);
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    // it does not listen yet
    return false;
  }
}

function patroni({ name, data, api, port }: Node, etcd: number, folder: string): string {
  return JSON.stringify({
    scope: 'marathon',
    name,
    restapi: { listen: `127.0.0.1:${api}`, connect_address: `127.0.0.1:${api}` },
    etcd3: { host: `127.0.0.1:${etcd}` },
    bootstrap: {
      dcs: {
        ttl: 20,
        loop_wait: 1,
        retry_timeout: 3,
        synchronous_mode: true,
        // a server that crashed is not waited for
        primary_start_timeout: 0,
        postgresql: { use_pg_rewind: true, parameters: { wal_log_hints: 'on' } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }],
    },
    postgresql: {
      listen: `127.0.0.1:${port}`,
      connect_address: `127.0.0.1:${port}`,
      data_dir: data,
      bin_dir: BINARIES,
      pgpass: join(folder, name, 'pgpass'),
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
      parameters: { unix_socket_directories: join(folder, name), shared_buffers: '32MB' },
      authentication: {
        superuser: { username: 'postgres', password: 'x' },
        replication: { username: 'replicator', password: 'x' },
      },
    },
  });
}

function haproxy(port: number, nodes: Node[]): string {
  const servers = nodes.map(
    (node) => `  server ${node.name} 127.0.0.1:${node.port} check port ${node.api}`,
  );
  return `
defaults
  mode tcp
  timeout connect 1s
  timeout client 10m
  timeout server 10m
  timeout check 1s
listen primary
  bind 127.0.0.1:${port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`;
}
