import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { queryOn } from '../database/prepared-statements.js';
import { isDatabaseUnavailable } from '../pool/database-errors.js';
import { limitWait, type Deadline } from '../pool/deadline.js';
import { poolOf, type RecyclingPool } from '../pool/recycling-pool.js';
import { DatabaseVersions } from './database-versions.js';
import { Replica, REPLICA_TIMEOUT_MS } from './replica.js';

/** A server that reads can go to: the primary, or a replica. */
export interface ReadServer {
  /** Distinguishes it from the others. */
  readonly name: string;
  /** How often it failed, and the primary was read instead. */
  readonly fallbackCount: number;
  readonly pool: RecyclingPool;
  readonly versions: DatabaseVersions;
}

/**
 * Chooses which server a read goes to. A client reads nothing older than it has written or read: its last known
 * change is passed with each read, and a replica that has not replayed it is passed over.
 */
@Injectable()
export class ReadServers implements OnApplicationShutdown {
  readonly primary: ReadServer;
  private readonly replicas: Replica[];
  private turn = 0;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    @InjectSettings() settings: Settings,
    private readonly database: DatabaseStartup,
    versions: DatabaseVersions,
  ) {
    this.primary = {
      name: 'primary',
      fallbackCount: 0,
      versions,
      // there is none before the database is connected
      get pool() {
        return poolOf(dataSource);
      },
    };
    this.replicas = settings.replicas.map((address) => new Replica(address, settings, database));
  }

  get hasReplicas(): boolean {
    return this.replicas.length > 0;
  }

  /** The number of replicas that answer. */
  get availableCount(): number {
    return this.replicas.filter(({ isAvailable }) => isAvailable).length;
  }

  /** A replica that has the change `seq`, in turn; the primary if there is none. */
  async choose(seq: number): Promise<ReadServer> {
    return this.findReplica(seq) ?? (await this.findUpdatedReplica(seq)) ?? this.primary;
  }

  /** Executes a statement under the current deadline, or a new one. */
  async query<Row>(server: ReadServer, text: string, values: unknown[]): Promise<Row[]> {
    const deadline = this.database.startDeadline();
    return this.read(server, deadline, async ({ pool }, within) =>
      queryOn<Row>(pool, within, text, values),
    );
  }

  /**
   * Reads from a server. If it is a replica that fails, reads from the primary: `work` is called with the server
   * that it reads from. `discard` releases what a result holds that is not returned.
   */
  async read<T>(
    server: ReadServer,
    deadline: Deadline,
    work: (server: ReadServer, deadline: Deadline) => Promise<T>,
    discard: (result: T) => Promise<void> = async () => undefined,
  ): Promise<T> {
    if (!(server instanceof Replica)) return work(server, deadline);
    const read = server.isAvailable && (await this.readReplica(server, deadline, work, discard));
    if (read) return read.result;
    server.fallbackCount += 1;
    return work(this.primary, deadline);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.replicas.map(async (replica) => replica.close()));
  }

  private async readReplica<T>(
    replica: Replica,
    deadline: Deadline,
    work: (server: ReadServer, deadline: Deadline) => Promise<T>,
    discard: (result: T) => Promise<void>,
  ): Promise<{ result: T } | undefined> {
    const { connectionCount } = replica;
    try {
      const result = await work(replica, limitWait(deadline, REPLICA_TIMEOUT_MS));
      // what was known of the replica when it was chosen was known by other connections
      if (replica.connectionCount === connectionCount) return { result };
      await discard(result);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      if (!replica.pool.isReachable) replica.noteFailed(error);
      // it hangs, is busy, or cancelled a statement that was in the way of its replay
      else void replica.update();
    }
    return undefined;
  }

  private findReplica(seq: number): Replica | undefined {
    const { length } = this.replicas;
    for (let count = 0; count < length; count += 1) {
      this.turn = (this.turn + 1) % length;
      const replica = this.replicas[this.turn]!;
      if (replica.isAvailable && replica.lastSeq >= seq) return replica;
    }
    return undefined;
  }

  /** What is known of a replica is older than the replica. */
  private async findUpdatedReplica(seq: number): Promise<Replica | undefined> {
    await Promise.all(this.replicas.map(async (replica) => replica.update()));
    return this.findReplica(seq);
  }
}
