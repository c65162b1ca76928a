import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { findEmbeddedBinaries, type EmbeddedBinaries } from './embedded-binaries.js';
import { hasErrorCode } from './error-code.js';
import { FolderLock, isListening } from './folder-lock.js';
import { findServerUser } from './server-user.js';

const START_LIMIT_MS = 30_000;
const LAUNCH_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;
const CLUSTER = 'postgresql-18';
const SHARED_CACHE = '/var/cache/marathon-registry';

/**
 * A real PostgreSQL of the service's own, for people who have none: made on the first start, kept in
 * one folder, reached over a unix socket only, so that no port can be taken and no other user gets in.
 *
 * Whoever starts it first owns it; a second process with the same folder (the command line beside
 * the service) shares it. What a killed owner left running is stopped and started anew.
 */
export class EmbeddedServer {
  private readonly log = new Logger(EmbeddedServer.name);
  private readonly lock: FolderLock;
  private readonly serverSocket: string;
  private readonly user = findServerUser();
  private binaries!: EmbeddedBinaries;
  private child?: ChildProcess;
  private isStopping = false;

  constructor(
    private readonly dataFolder: string,
    private readonly socketFolder: string,
  ) {
    this.lock = new FolderLock(join(socketFolder, 'owner'));
    this.serverSocket = join(socketFolder, '.s.PGSQL.5432');
  }

  /**
   * Resolves once the server answers.
   * @throws when it does not within 30 seconds, with the place of its log.
   */
  async start(): Promise<void> {
    this.isStopping = false;
    await this.prepareFolders();
    const giveUpAt = Date.now() + START_LIMIT_MS;
    while (!(await this.lock.tryAcquire())) {
      if (await this.isReady())
        return this.log.log('Sharing the PostgreSQL that already runs here');
      if (Date.now() > giveUpAt) throw this.startFailure('it was being started by another process');
      await wait(LOOK_AGAIN_MS);
    }
    try {
      await this.startAsOwner();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops the server if this process owns it, after its last transaction was rolled back. */
  async stop(): Promise<void> {
    this.isStopping = true;
    try {
      if (this.child) await this.shutDown(this.child);
    } finally {
      this.child = undefined;
      this.lock.release();
    }
  }

  /** Whether this process started the server, and so will stop it. */
  get isOwner(): boolean {
    return this.lock.isHeld;
  }

  private get clusterFolder(): string {
    return join(this.dataFolder, CLUSTER);
  }

  private get logFile(): string {
    return join(this.dataFolder, 'postgresql.log');
  }

  private async startAsOwner(): Promise<void> {
    this.binaries = await findEmbeddedBinaries(this.user ? SHARED_CACHE : this.dataFolder);
    await this.stopOrphan();
    if (!(await isFolder(this.clusterFolder))) await this.createCluster();
    this.log.log(`Starting PostgreSQL ${this.binaries.version}`);
    await this.launch();
    this.log.log(`PostgreSQL is ready, its data in ${this.dataFolder}`);
  }

  private async prepareFolders(): Promise<void> {
    await mkdir(this.dataFolder, { recursive: true });
    if (this.user) await mkdir(SHARED_CACHE, { recursive: true });
    await mkdir(this.socketFolder, { mode: 0o700 }).catch(unlessThere);
    const found = await lstat(this.socketFolder);
    const owners = [process.getuid?.(), this.user?.uid];
    if (!found.isDirectory() || !owners.includes(found.uid)) {
      throw new Error(`${this.socketFolder} belongs to somebody else: remove it, or set DATA_DIR.`);
    }
    await this.giveToServer(this.socketFolder);
  }

  /** Made beside its place and renamed, so that a first start that is killed leaves no half cluster. */
  private async createCluster(): Promise<void> {
    this.log.log(`First start: creating a database in ${this.dataFolder}`);
    const unfinished = `${this.clusterFolder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    await this.giveToServer(unfinished);
    const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-instructions'];
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    await this.withLogFile(async (stdio) => {
      const initdb = this.run(this.binaries.initdb, unfinished, [...options, ...locale], stdio);
      const [exitCode] = await once(initdb, 'exit');
      if (exitCode !== 0) throw this.startFailure('its database could not be created');
    });
    await rename(unfinished, this.clusterFolder);
  }

  /** After a kill -9 the last processes of the old server may need a moment to go: until then, again. */
  private async launch(): Promise<void> {
    const giveUpAt = Date.now() + LAUNCH_LIMIT_MS;
    while (!(await this.launchOnce())) {
      if (Date.now() > giveUpAt) throw this.startFailure('it ended at once');
      await wait(LOOK_AGAIN_MS * 10);
    }
  }

  private async launchOnce(): Promise<boolean> {
    const settings = [`-k${this.socketFolder}`, '-h', '', '-p5432', '-clog_statement=none'];
    const child = await this.withLogFile(async (stdio) =>
      this.run(this.binaries.postgres, this.clusterFolder, settings, stdio),
    );
    while (!hasEnded(child)) {
      if (await this.isReady(child.pid)) {
        this.supervise(child);
        return true;
      }
      await wait(LOOK_AGAIN_MS);
    }
    return false;
  }

  private supervise(child: ChildProcess): void {
    this.child = child;
    child.once('exit', (code, signal) => {
      if (this.isStopping) return;
      this.log.warn(`PostgreSQL ended (${signal ?? `code ${code}`}): starting it again`);
      this.launch().catch((error: unknown) => this.log.error(error));
    });
  }

  /** `detached` keeps a Ctrl-C in the terminal from the server: requests in flight still need it. */
  private run(program: string, cluster: string, args: string[], stdio: SpawnOptions['stdio']) {
    return spawn(program, ['-D', this.pathForServer(cluster), ...args], {
      ...this.user,
      cwd: cluster,
      detached: true,
      stdio,
    });
  }

  /**
   * The server's user may not be able to walk to the folder (below root's home, say). Its working
   * directory is set before the user is changed, and Linux leads there without the walk.
   */
  private pathForServer(cluster: string): string {
    return this.user && process.platform === 'linux' ? '/proc/self/cwd' : cluster;
  }

  private async withLogFile<T>(work: (stdio: SpawnOptions['stdio']) => Promise<T>): Promise<T> {
    const logFile = await open(this.logFile, 'a');
    try {
      return await work(['ignore', logFile.fd, logFile.fd]);
    } finally {
      await logFile.close();
    }
  }

  private async giveToServer(folder: string): Promise<void> {
    await chmod(folder, 0o700);
    if (this.user) await chown(folder, this.user.uid, this.user.gid);
  }

  /** The eighth line of postmaster.pid says `ready`, as pg_ctl reads it (src/include/utils/pidfile.h). */
  private async isReady(pid?: number): Promise<boolean> {
    const lines = await this.readPidFile();
    const isOurs = pid === undefined || lines[0] === String(pid);
    return isOurs && (lines[7] ?? '').startsWith('ready') && (await isListening(this.serverSocket));
  }

  private async readPidFile(): Promise<string[]> {
    try {
      return (await readFile(join(this.clusterFolder, 'postmaster.pid'), 'utf8')).split('\n');
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  private async stopOrphan(): Promise<void> {
    const pid = Number((await this.readPidFile())[0]);
    if (!pid) return;
    if (!(await isListening(this.serverSocket))) return this.forgetDeadServer(pid);
    this.log.warn('Stopping a PostgreSQL that an earlier run left behind');
    process.kill(pid, 'SIGINT');
    const giveUpAt = Date.now() + STOP_LIMIT_MS;
    while (isRunning(pid)) {
      if (Date.now() > giveUpAt) throw this.startFailure(`process ${pid} still holds its data`);
      await wait(LOOK_AGAIN_MS);
    }
  }

  /** PostgreSQL refuses to start while the number in its pid file belongs to any other process. */
  private async forgetDeadServer(pid: number): Promise<void> {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => undefined);
    if (name === undefined || name.trim() === 'postgres') return;
    await rm(join(this.clusterFolder, 'postmaster.pid'), { force: true });
  }

  private async shutDown(child: ChildProcess): Promise<void> {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const impatience = setTimeout(() => child.kill('SIGQUIT'), STOP_LIMIT_MS);
    try {
      await ended;
    } finally {
      clearTimeout(impatience);
    }
  }

  private startFailure(reason: string): Error {
    return new Error(
      `The embedded PostgreSQL did not start: ${reason}. Its log is ${this.logFile}; ` +
        'with DATABASE_URL set, the service uses a PostgreSQL of yours instead.',
    );
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return hasErrorCode(error, 'EPERM');
  }
}

function unlessThere(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}
