import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { EmbeddedCluster } from './cluster.js';
import { FolderLock, isListening } from './folder-lock.js';
import { EmbeddedServerError } from './embedded-server-error.js';

const START_TIMEOUT_MS = 30_000;
const LAUNCH_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 10;
const LAUNCH_RETRY_MS = 100;

/**
 * A PostgreSQL server for users who have none. It is created on the first start, stores its data in one
 * folder, and listens on a private unix socket only.
 *
 * The process that starts it first owns it. A second process with the same folder, for example the command
 * line, shares it. A server whose owner was killed is stopped and started again.
 */
export class EmbeddedServer {
  private readonly log = new Logger(EmbeddedServer.name);
  private readonly cluster: EmbeddedCluster;
  private readonly lock: FolderLock;
  private readonly serverSocket: string;
  private child?: ChildProcess;
  private isStopping = false;

  constructor(
    dataFolder: string,
    private readonly socketFolder: string,
  ) {
    this.cluster = new EmbeddedCluster(dataFolder);
    this.lock = new FolderLock(join(socketFolder, 'owner'));
    this.serverSocket = join(socketFolder, '.s.PGSQL.5432');
  }

  /**
   * Resolves when the server is ready.
   * @throws {EmbeddedServerError} if it is not ready within 30 seconds, with the path of its log.
   */
  async start(): Promise<void> {
    this.isStopping = false;
    await this.cluster.prepare();
    await this.cluster.makePrivateFolder(this.socketFolder);
    const endsAt = Date.now() + START_TIMEOUT_MS;
    while (!(await this.lock.tryAcquire())) {
      if (await this.isReady()) return this.log.log('Sharing the PostgreSQL of another process');
      if (Date.now() > endsAt) throw this.failure('another process is still starting it');
      await wait(POLL_INTERVAL_MS);
    }
    try {
      await this.startAsOwner();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops the server if this process owns it. Running transactions are rolled back. */
  async stop(): Promise<void> {
    if (!this.lock.isHeld) return;
    this.isStopping = true;
    try {
      if (this.child) await this.shutDown(this.child);
    } finally {
      this.child = undefined;
      this.lock.release();
      await rm(this.socketFolder, { recursive: true, force: true });
    }
  }

  private async startAsOwner(): Promise<void> {
    await this.stopOrphan();
    if (!(await this.cluster.exists())) {
      this.log.log(`First start: creating a database in ${this.cluster.dataFolder}`);
      await this.cluster.create();
    }
    this.log.log(`Starting PostgreSQL ${this.cluster.version}`);
    await this.launch();
    this.log.log(`PostgreSQL is ready, its data in ${this.cluster.dataFolder}`);
  }

  /** After a kill -9 the processes of the old server may still be running, so the launch is retried. */
  private async launch(): Promise<void> {
    const endsAt = Date.now() + LAUNCH_TIMEOUT_MS;
    while (!(await this.launchOnce())) {
      if (this.isStopping) return;
      if (Date.now() > endsAt) throw this.failure('it ended immediately');
      await wait(LAUNCH_RETRY_MS);
    }
  }

  private async launchOnce(): Promise<boolean> {
    const child = await this.cluster.launch(this.socketFolder);
    child.once('error', (error) => this.log.error(error.message));
    this.child = child;
    while (!hasEnded(child)) {
      if (await this.isReady(child.pid)) {
        child.once('exit', (code, signal) => this.restart(signal ?? `code ${String(code)}`));
        return true;
      }
      await wait(POLL_INTERVAL_MS);
    }
    return false;
  }

  private restart(reason: string): void {
    if (this.isStopping) return;
    this.log.warn(`PostgreSQL ended (${reason}) and is restarted`);
    this.launch().catch((error: Error) => this.log.error(error.message));
  }

  private async isReady(expectedPid?: number): Promise<boolean> {
    const { pid, isReady } = await this.cluster.readPidFile();
    return isReady && pid === (expectedPid ?? pid) && (await isListening(this.serverSocket));
  }

  private async stopOrphan(): Promise<void> {
    const { pid } = await this.cluster.readPidFile();
    if (!pid) return;
    if (!(await isListening(this.serverSocket))) return this.cluster.removeStalePidFile(pid);
    this.log.warn('Stopping a PostgreSQL of an earlier process');
    process.kill(pid, 'SIGINT');
    const endsAt = Date.now() + STOP_TIMEOUT_MS;
    while ((await this.cluster.readPidFile()).pid === pid) {
      if (Date.now() > endsAt) throw this.failure(`process ${pid} still holds its data`);
      await wait(POLL_INTERVAL_MS);
    }
  }

  /** SIGINT requests a fast shutdown, SIGQUIT an immediate one. */
  private async shutDown(child: ChildProcess): Promise<void> {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
    try {
      await ended;
    } finally {
      clearTimeout(timer);
    }
  }

  private failure(reason: string): EmbeddedServerError {
    return new EmbeddedServerError(
      `The embedded PostgreSQL did not start: ${reason}. Its log is ${this.cluster.logFile}; ` +
        'to use another PostgreSQL, set DATABASE_URL.',
    );
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
