import { Logger } from '@nestjs/common';
import type { ConnectionSettings } from '../config/connection-string.js';
import type { Settings } from '../config/settings.js';
import { poolOptions } from '../database/data-source-options.js';
import type { DatabaseStartup } from '../database/database-startup.js';
import { RecyclingPool } from '../pool/recycling-pool.js';
import type { RecyclingOptions } from '../pool/pool-types.js';
import { DatabaseVersions } from './database-versions.js';

/** How long a read waits for a replica before it goes to the primary. */
export const REPLICA_TIMEOUT_MS = 500;
const PROBE_INTERVAL_MS = 1000;

/** A standby of the database. It is not used from a failure on until it answers again. */
export class Replica {
  readonly pool: RecyclingPool;
  readonly versions: DatabaseVersions;
  private readonly log = new Logger(Replica.name);
  readonly name: string;
  /** The number of connections that were made. */
  connectionCount = 0;
  fallbackCount = 0;
  private isFailed = false;
  private timer?: NodeJS.Timeout;

  constructor(address: ConnectionSettings, settings: Settings, database: DatabaseStartup) {
    this.name = `${address.host}:${address.port ?? 5432}`;
    const max = settings.poolSize;
    this.pool = new RecyclingPool({ ...poolOptions(address, settings), max } as RecyclingOptions);
    this.versions = new DatabaseVersions(() => this.pool, database, REPLICA_TIMEOUT_MS);
    this.pool.on('connect', () => this.noteConnected());
    void database.aborted.catch(() => this.pool.abort());
  }

  get isAvailable(): boolean {
    return !this.isFailed;
  }

  /** The number of the last change that it is known to have. */
  get lastSeq(): number {
    return this.versions.lastSeq;
  }

  /** Asks for its last change. */
  async update(): Promise<void> {
    if (!this.isFailed) await this.probe();
  }

  noteFailed(error: unknown): void {
    if (!this.isFailed)
      this.log.warn(`The replica ${this.name} is not used until it answers: ${String(error)}`);
    this.isFailed = true;
    this.timer ??= setInterval(() => void this.probe(), PROBE_INTERVAL_MS).unref();
  }

  async close(): Promise<void> {
    this.stopProbing();
    await this.pool.end();
  }

  /** A standby that was restarted may have less than before for a moment. */
  private noteConnected(): void {
    this.connectionCount += 1;
    this.versions.lastSeq = 0;
  }

  private async probe(): Promise<void> {
    try {
      await this.versions.fetch();
    } catch (error) {
      this.noteFailed(error);
      return;
    }
    if (this.isFailed) this.log.log(`The replica ${this.name} answers again`);
    this.isFailed = false;
    this.stopProbing();
  }

  private stopProbing(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
