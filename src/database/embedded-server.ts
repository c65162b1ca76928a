import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { EmbeddedCluster } from './embedded-cluster.js';
import { FolderLock, isListening } from './folder-lock.js';

const START_LIMIT_MS = 30_000;
const LAUNCH_LIMIT_MS = 10_000;
const STOP_LIMIT_MS = 10_000;
const LOOK_AGAIN_MS = 10;
const LAUNCH_AGAIN_MS = 100;

/**
 * A real PostgreSQL of the service's own, for people who have none: made on the first start, kept in
 * one folder, reached over a unix socket that nobody else can open.
 *
 * Whoever starts it first owns it; a second process with the same folder (the command line beside
 * the service) shares it. What a killed owner left running is stopped and started anew.
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
   * Resolves once the server answers.
   * @throws when it does not within 30 seconds, with the place of its log.
   */
  async start(): Promise<void> {
    this.isStopping = false;
    await this.cluster.prepare();
    await this.cluster.makePrivateFolder(this.socketFolder);
    const giveUpAt = Date.now() + START_LIMIT_MS;
    while (!(await this.lock.tryAcquire())) {
      if (await this.isReady())
        return this.log.log('Sharing the PostgreSQL that already runs here');
      if (Date.now() > giveUpAt) throw this.failure('another process is still starting it');
      await wait(LOOK_AGAIN_MS);
    }
    try {
      await this.startAsOwner();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Stops the server if this process owns it; transactions under way are rolled back. */
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

  /** After a kill -9 the last processes of the old server need a moment to go: until then, again. */
  private async launch(): Promise<void> {
    const giveUpAt = Date.now() + LAUNCH_LIMIT_MS;
    while (!(await this.launchOnce())) {
      if (this.isStopping) return;
      if (Date.now() > giveUpAt) throw this.failure('it ended at once');
      await wait(LAUNCH_AGAIN_MS);
    }
  }

  private async launchOnce(): Promise<boolean> {
    const child = await this.cluster.launch(this.socketFolder);
    child.once('error', (error) => this.log.error(error.message));
    this.child = child;
    while (!hasEnded(child)) {
      if (await this.isReady(child.pid)) {
        child.once('exit', (code, signal) => this.relaunch(signal ?? `code ${String(code)}`));
        return true;
      }
      await wait(LOOK_AGAIN_MS);
    }
    return false;
  }

  private relaunch(reason: string): void {
    if (this.isStopping) return;
    this.log.warn(`PostgreSQL ended (${reason}): starting it again`);
    this.launch().catch((error: Error) => this.log.error(error.message));
  }

  private async isReady(ours?: number): Promise<boolean> {
    const { pid, isReady } = await this.cluster.readPidFile();
    return isReady && pid === (ours ?? pid) && (await isListening(this.serverSocket));
  }

  private async stopOrphan(): Promise<void> {
    const { pid } = await this.cluster.readPidFile();
    if (!pid) return;
    if (!(await isListening(this.serverSocket))) return this.cluster.forgetDeadServer(pid);
    this.log.warn('Stopping a PostgreSQL that an earlier run left behind');
    process.kill(pid, 'SIGINT');
    const giveUpAt = Date.now() + STOP_LIMIT_MS;
    while ((await this.cluster.readPidFile()).pid === pid) {
      if (Date.now() > giveUpAt) throw this.failure(`process ${pid} still holds its data`);
      await wait(LOOK_AGAIN_MS);
    }
  }

  /** SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one. */
  private async shutDown(child: ChildProcess): Promise<void> {
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_LIMIT_MS);
    try {
      await ended;
    } finally {
      clearTimeout(timer);
    }
  }

  private failure(reason: string): Error {
    return new Error(
      `The embedded PostgreSQL did not start: ${reason}. Its log is ${this.cluster.logFile}; ` +
        'with DATABASE_URL set, the service uses a PostgreSQL of yours instead.',
    );
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
