import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * Starts PgBouncer, Debian's package, in front of the server with this socket, as the user of that. Its socket has the
 * same name in another folder.
 */
export async function startPooler(serverSocketFolder, poolMode = 'transaction') {
  const { uid, gid } = await stat(serverSocketFolder);
  const folder = await mkdtemp(join(tmpdir(), 'marathon-pgbouncer-'));
  const settings = join(folder, 'pgbouncer.ini');
  await writeFile(
    settings,
    `[databases]
     * = host=${serverSocketFolder} user=postgres
     [pgbouncer]
     listen_addr =
     listen_port = 5432
     unix_socket_dir = ${folder}
     auth_type = any
     pool_mode = ${poolMode}
     default_pool_size = 10
     max_client_conn = 1000`,
  );
  await chown(folder, uid, gid);
  await chown(settings, uid, gid);
  await chmod(folder, 0o755);
  const child = spawn('pgbouncer', [settings], { uid, gid, stdio: ['ignore', 'ignore', 'pipe'] });
  await untilUp(child);
  return {
    socketFolder: folder,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function untilUp(child) {
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes('process up')) {
      child.stderr.resume();
      return;
    }
  }
  throw new Error('PgBouncer did not start.');
}
