import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findEmbeddedBinaries, type EmbeddedBinaries } from './embedded-binaries.js';
import { hasErrorCode } from './error-code.js';
import { findServerUser } from './server-user.js';

const CLUSTER = 'postgresql-18';
const SHARED_CACHE = '/var/cache/marathon-registry';
const ACCOUNT = ['--username=postgres', '--auth=trust'];
const UNICODE =
  '--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8'.split(' ');

/** The embedded server's files, and the programs that work on them. */
export class EmbeddedCluster {
  readonly logFile: string;
  private readonly user = findServerUser();
  private readonly folder: string;
  private binaries!: EmbeddedBinaries;

  constructor(readonly dataFolder: string) {
    this.folder = join(dataFolder, CLUSTER);
    this.logFile = join(dataFolder, 'postgresql.log');
  }

  get version(): string {
    return this.binaries.version;
  }

  async prepare(): Promise<void> {
    await mkdir(this.dataFolder, { recursive: true });
    if (this.user) await mkdir(SHARED_CACHE, { recursive: true });
    this.binaries = await findEmbeddedBinaries(this.user ? SHARED_CACHE : this.dataFolder);
  }

  /** Makes a folder that only the server (and root) can enter. */
  async makePrivateFolder(folder: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 }).catch(unlessThere);
    const { uid } = await lstat(folder);
    if (![process.getuid?.(), this.user?.uid].includes(uid)) {
      throw new Error(`${folder} belongs to somebody else: remove it, or set DATA_DIR.`);
    }
    await chmod(folder, 0o700);
    if (this.user) await chown(folder, this.user.uid, this.user.gid);
  }

  async exists(): Promise<boolean> {
    try {
      return (await stat(this.folder)).isDirectory();
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return false;
      throw error;
    }
  }

  /** Made beside its place and renamed, so that a first start that is killed leaves no half cluster. */
  async create(): Promise<void> {
    const unfinished = `${this.folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await this.makePrivateFolder(unfinished);
    const initdb = await this.run(this.binaries.initdb, unfinished, [...ACCOUNT, ...UNICODE]);
    const [exitCode] = await once(initdb, 'exit');
    if (exitCode !== 0) throw new Error(`Its database could not be created: see ${this.logFile}.`);
    await rename(unfinished, this.folder);
  }

  /** A server over a unix socket only, so that no port can be taken. */
  async launch(socketFolder: string): Promise<ChildProcess> {
    return this.run(this.binaries.postgres, this.folder, [`-k${socketFolder}`, '-h', '', '-p5432']);
  }

  /** The server's process, and whether it is ready, as it writes them for pg_ctl (utils/pidfile.h). */
  async readPidFile(): Promise<{ pid?: number; isReady: boolean }> {
    try {
      const lines = (await readFile(this.pidFile, 'utf8')).split('\n');
      return { pid: Number(lines[0]), isReady: (lines[7] ?? '').startsWith('ready') };
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return { isReady: false };
      throw error;
    }
  }

  /** PostgreSQL refuses to start while the number in its pid file belongs to any other process. */
  async forgetDeadServer(pid: number): Promise<void> {
    if (process.platform !== 'linux') return;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
    if (name !== undefined && name.trim() !== 'postgres') await rm(this.pidFile, { force: true });
  }

  private get pidFile(): string {
    return join(this.folder, 'postmaster.pid');
  }

  /** `detached` keeps a Ctrl-C in the terminal from the server: requests in flight still need it. */
  private async run(program: string, folder: string, options: string[]): Promise<ChildProcess> {
    const log = await open(this.logFile, 'a');
    try {
      return spawn(program, ['-D', this.pathForServer(folder), ...options], {
        ...this.user,
        cwd: folder,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
    } finally {
      await log.close();
    }
  }

  /**
   * The server's user may not be able to walk to the folder (below root's home, say). Its working
   * directory is set before the user is changed, and Linux leads there without the walk.
   */
  private pathForServer(folder: string): string {
    return this.user && process.platform === 'linux' ? '/proc/self/cwd' : folder;
  }
}

function unlessThere(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}
