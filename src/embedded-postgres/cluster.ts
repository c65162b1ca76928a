import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findEmbeddedBinaries, type EmbeddedBinaries } from './binaries.js';
import { hasErrorCode } from '../pool/error-code.js';
import { findServerUser } from './server-user.js';
import { EmbeddedServerError } from './embedded-server-error.js';

const CLUSTER = 'postgresql-18';
const SHARED_CACHE = '/var/cache/marathon-registry';
const ACCOUNT = ['--username=postgres', '--auth=trust'];
const UNICODE =
  '--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8'.split(' ');

/** The files of the embedded server, and the programs that use them. */
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

  /** Makes a folder that only the user of the server can enter. */
  async makePrivateFolder(folder: string): Promise<void> {
    await mkdir(folder, { mode: 0o700 }).catch(ignoreExisting);
    const { uid } = await lstat(folder);
    if (![process.getuid?.(), this.user?.uid].includes(uid)) {
      throw new EmbeddedServerError(
        `${folder} belongs to another user. Remove it, or set DATA_DIR.`,
      );
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

  /** Creates the cluster under another name and renames it, so that an aborted start leaves no part of it. */
  async create(): Promise<void> {
    const unfinished = `${this.folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await this.makePrivateFolder(unfinished);
    const initdb = await this.run(this.binaries.initdb, unfinished, [...ACCOUNT, ...UNICODE]);
    const [exitCode] = await once(initdb, 'exit');
    if (exitCode !== 0)
      throw new EmbeddedServerError(
        `The database cluster could not be created. See ${this.logFile}.`,
      );
    await rename(unfinished, this.folder);
  }

  /** Starts a server that listens on a unix socket only, so that it needs no free port. */
  async launch(socketFolder: string): Promise<ChildProcess> {
    return this.run(this.binaries.postgres, this.folder, [`-k${socketFolder}`, '-h', '', '-p5432']);
  }

  /** The process id of the server and its state, as it writes them for pg_ctl (utils/pidfile.h). */
  async readPidFile(): Promise<{ pid?: number; isReady: boolean }> {
    try {
      const lines = (await readFile(this.pidFile, 'utf8')).split('\n');
      return { pid: Number(lines[0]), isReady: (lines[7] ?? '').startsWith('ready') };
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return { isReady: false };
      throw error;
    }
  }

  /** Removes the pid file of a dead server: PostgreSQL does not start if any process has its process id. */
  async removeStalePidFile(pid: number): Promise<void> {
    if (process.platform !== 'linux') return;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
    if (name !== undefined && name.trim() !== 'postgres') await rm(this.pidFile, { force: true });
  }

  private get pidFile(): string {
    return join(this.folder, 'postmaster.pid');
  }

  /** `detached` protects the server from Ctrl-C in the terminal: requests in flight still need it. */
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
   * The user of the server may lack access to a parent of the folder, for example root's home. The working
   * directory is set before the user is changed, and Linux resolves this path without the parents.
   */
  private pathForServer(folder: string): string {
    return this.user && process.platform === 'linux' ? '/proc/self/cwd' : folder;
  }
}

function ignoreExisting(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}
