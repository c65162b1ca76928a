import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { collectDefaultMetrics, Counter, Gauge, Histogram } from 'prom-client';
import { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { BATCH_EVENTS, type BatchEvent } from '../database/batch-events.js';
import { EventStreams } from '../http/event-streams.js';
import { DatabaseVersions } from '../journal/database-versions.js';
import { ReadServers } from '../journal/read-servers.js';
import { POOL_EVENT_NAMES, POOL_EVENTS, type PoolEvent } from '../pool/pool-events.js';
import { poolOf, type RecyclingPool } from '../pool/recycling-pool.js';
import { readMetrics, shareMetrics } from '../workers/shared-metrics.js';
import { registry } from './request-metrics.js';

const registers = [registry];
/**
 * How often the delay of the event loop is measured. The values include this time, which `deploy/` subtracts. Each
 * measurement wakes the processor: the 10 ms of prom-client took an idle service 1.2 % of one.
 */
const EVENT_LOOP_INTERVAL_MS = 50;
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

const batches = new Histogram({
  name: 'database_batch_size',
  help: 'How many requests were executed as one statement, by kind.',
  labelNames: ['kind'],
  buckets: BATCH_SIZES,
  registers,
});
const poolEvents = new Counter({
  name: 'database_connection_events_total',
  help: 'Connections that were recycled or abandoned, failed pings, and work that was repeated.',
  labelNames: ['event'],
  registers,
});
for (const event of POOL_EVENT_NAMES) poolEvents.inc({ event }, 0);

const countBatch = (event: unknown) => {
  const { kind, size } = event as BatchEvent;
  batches.observe({ kind }, size);
};
const countPoolEvent = (event: unknown) => poolEvents.inc({ event: event as PoolEvent });

/**
 * Measures this process, or all workers together, in the format of Prometheus:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * No metric queries the database, so that a serverless database can suspend.
 */
@Injectable()
export class MetricsService implements OnApplicationBootstrap, OnModuleDestroy {
  private stopSharing: () => void = () => undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectSettings() private readonly settings: Settings,
    private readonly versions: DatabaseVersions,
    private readonly servers: ReadServers,
    private readonly streams: EventStreams,
  ) {}

  get contentType(): string {
    return registry.contentType;
  }

  async read(): Promise<string> {
    return readMetrics(registry);
  }

  onApplicationBootstrap(): void {
    if (this.settings.metrics === 'off') return;
    subscribe(BATCH_EVENTS, countBatch);
    subscribe(POOL_EVENTS, countPoolEvent);
    this.stopSharing = shareMetrics(registry);
    this.registerGauges();
  }

  onModuleDestroy(): void {
    this.stopSharing();
    unsubscribe(BATCH_EVENTS, countBatch);
    unsubscribe(POOL_EVENTS, countPoolEvent);
  }

  private registerGauges(): void {
    // the application may be created again in the same process, by tests
    if (registry.getSingleMetric(OPEN)) return;
    collectDefaultMetrics({
      register: registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_INTERVAL_MS,
    });
    const pool = (read: (pool: RecyclingPool) => number) => () => {
      const current = poolOf(this.dataSource) as RecyclingPool | undefined;
      return current ? read(current) : 0;
    };
    gauge(
      OPEN,
      'Connections that are open.',
      pool(({ totalCount }) => totalCount),
    );
    gauge(
      'database_connections_idle',
      'Open connections without work.',
      pool(({ idleCount }) => idleCount),
    );
    gauge(
      'database_requests_waiting',
      'Work that waits for a connection.',
      pool(({ leases }) => leases.queueLength),
    );
    gauge(
      'database_reachable',
      'Whether the last use of the database succeeded.',
      pool(({ isReachable }) => Number(isReachable)),
      'min',
    );
    gauge(
      'database_replicas_available',
      'Replicas that answer.',
      () => this.servers.availableCount,
      'min',
    );
    gauge(
      'journal_last_seq',
      'The last change that this process has seen.',
      () => this.versions.lastSeq,
      'max',
    );
    gauge('change_listeners', 'Clients that follow the change feed.', () => this.streams.count);
  }
}

const OPEN = 'database_connections_open';

/** `aggregator` says how the values of several workers become one. */
function gauge(
  name: string,
  help: string,
  read: () => number,
  aggregator: 'sum' | 'min' | 'max' = 'sum',
): void {
  const registered: Gauge = new Gauge({
    name,
    help,
    registers,
    aggregator,
    collect: () => registered.set(read()),
  });
}
