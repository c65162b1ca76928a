import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { CollectedMetrics, tell } from './collected-metrics.js';
import type { FromWorker } from './messages.js';
import { UnacceptedConnections } from './unaccepted-connections.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [100, 10_000];
/** A worker that lives longer did not fail because of how it starts. */
const STABLE_MS = 30_000;
const READY_TIMEOUT_MS = 60_000;
/** A worker answers the requests that it has, and ends in less than five seconds. */
const STOP_TIMEOUT_MS = 10_000;

/** No worker could start. */
export class WorkersFailedError extends Error {
  override readonly name = 'WorkersFailedError';
}

/**
 * Several processes that serve on one port: https://nodejs.org/api/cluster.html. A worker that ends is
 * replaced, after a delay that doubles as long as workers end soon, unless no other is left.
 */
export class WorkerPool {
  private readonly log = new Logger('Workers');
  private readonly metrics = new CollectedMetrics(() => this.connected());
  private readonly living = new Set<Worker>();
  private readonly retiring = new Set<Worker>();
  private readonly unaccepted = new UnacceptedConnections();
  private delayMs = MIN_DELAY_MS;
  private hasBeenReady = false;
  private readonly stopping = new AbortController();
  private restarting?: Promise<void>;
  private fail: (error: Error) => void = () => undefined;

  /** `onReady` is called when the first worker is ready. */
  constructor(
    private readonly count: number,
    private readonly onReady: (url: string) => void,
  ) {}

  /**
   * Starts the workers. Resolves when the pool was stopped.
   * @throws {WorkersFailedError} if one ends before any of them was ready. Its own message says why.
   */
  async run(): Promise<void> {
    const failed = new Promise<never>((_resolve, reject) => (this.fail = reject));
    for (let started = 0; started < this.count; started += 1) this.fork();
    try {
      await Promise.race([failed, once(this.stopping.signal, 'abort')]);
    } finally {
      await this.stop();
    }
  }

  /** Replaces the workers one after another. Each new one is ready before an old one stops. */
  async restart(): Promise<void> {
    this.restarting ??= this.restartAll().finally(() => (this.restarting = undefined));
    return this.restarting;
  }

  /** Lets all workers answer the requests that they have, and end. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([...this.living].map(async (worker) => this.retire(worker)));
  }

  private get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  private connected(): Worker[] {
    return [...this.living].filter((worker) => worker.isConnected());
  }

  private fork(): Worker {
    const worker = cluster.fork();
    this.living.add(worker);
    if (worker.process.pid) this.unaccepted.watch(worker);
    const startedAt = Date.now();
    worker.on('message', (message: FromWorker) => this.receive(worker, message));
    worker.on('error', (error) => this.noteError(worker, error));
    worker.once('exit', (code, signal) => {
      this.living.delete(worker);
      const isExpected = this.retiring.delete(worker) || this.isStopping;
      if (!isExpected) void this.replace(signal ?? `code ${code}`, Date.now() - startedAt);
    });
    return worker;
  }

  /** A process could not be started, or it ended before it was sent a message. */
  private noteError(worker: Worker, error: NodeJS.ErrnoException): void {
    this.log.warn(`A worker failed: ${error.message}`);
    if (!worker.process.pid) worker.emit('exit', null, error.code);
  }

  private async replace(reason: string, livedMs: number): Promise<void> {
    if (!this.hasBeenReady) {
      this.fail(new WorkersFailedError('A worker ended before it was ready.'));
      return;
    }
    this.delayMs = livedMs > STABLE_MS ? MIN_DELAY_MS : Math.min(2 * this.delayMs, MAX_DELAY_MS);
    // without a worker the port is closed
    const delayMs = this.living.size ? this.delayMs : MIN_DELAY_MS;
    this.log.warn(`A worker ended (${reason}) and is replaced in ${delayMs} ms`);
    await wait(delayMs);
    // a restart that is under way has one worker more
    if (!this.isStopping && this.living.size < this.count) this.fork();
  }

  private receive(worker: Worker, message: FromWorker): void {
    if (message.kind === 'ready') this.noteReady(worker, message.url);
    else if (message.kind === 'drained') void this.noteDrained(worker);
    else if (message.kind === 'leaving') this.endConnections(worker);
    else if (message.kind === 'counts') this.passOn(worker, message);
    else if (message.kind === 'readMetrics') this.metrics.collect(worker, message.id);
    else this.metrics.receive(worker, message);
  }

  private noteReady(worker: Worker, url: string): void {
    worker.emit('ready');
    if (!this.hasBeenReady) this.onReady(url);
    this.hasBeenReady = true;
  }

  private async noteDrained(worker: Worker): Promise<void> {
    await this.unaccepted.untilNoneIsLost(worker);
    this.endConnections(worker);
  }

  /** Gives a worker no more connections, and ends the channel to it when it has answered those that it has. */
  private endConnections(worker: Worker): void {
    if (worker.isConnected() && !worker.exitedAfterDisconnect) worker.disconnect();
  }

  private passOn(sender: Worker, message: Extract<FromWorker, { kind: 'counts' }>): void {
    for (const worker of this.living) if (worker !== sender) tell(worker, message);
  }

  private async restartAll(): Promise<void> {
    this.log.log('Restarting the workers, one after another');
    const before = [...this.living];
    for (const old of before) {
      if (this.isStopping) return;
      const worker = this.fork();
      if (!(await this.untilReady(worker))) {
        this.log.error('A new worker was not ready. The others go on as they are.');
        await this.retire(worker);
        return;
      }
      await this.retire(old);
    }
    this.log.log('All workers were restarted');
  }

  private async untilReady(worker: Worker): Promise<boolean> {
    const ending = AbortSignal.timeout(READY_TIMEOUT_MS);
    const ready = once(worker, 'ready', { signal: ending }).then(() => true);
    const ended = once(worker, 'exit', { signal: ending }).then(() => false);
    return Promise.race([ready, ended]).catch(() => false);
  }

  private async retire(worker: Worker): Promise<void> {
    if (worker.isDead()) return;
    const ended = once(worker, 'exit');
    if (!this.retiring.has(worker)) worker.process.kill('SIGTERM');
    this.retiring.add(worker);
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    try {
      await ended;
    } finally {
      clearTimeout(timer);
    }
  }
}
