import type { Worker } from 'node:cluster';
import { AggregatorRegistry, type MetricObject } from 'prom-client';
import type { FromPrimary, FromWorker } from './messages.js';

/** A worker that does not answer, because it is starting or busy, is left out. */
const TIMEOUT_MS = 2000;

interface Collection {
  asker: Worker;
  /** The number of the request, of its worker. */
  askersId: number;
  waitingFor: Set<number>;
  metrics: MetricObject[][];
  timer: NodeJS.Timeout;
}

/** Adds up the metrics of all workers, for the worker that is asked for them. */
export class CollectedMetrics {
  private readonly collections = new Map<number, Collection>();
  private lastId = 0;

  constructor(private readonly workers: () => Worker[]) {}

  /** Asks all workers for their metrics. */
  collect(asker: Worker, askersId: number): void {
    const id = (this.lastId += 1);
    const workers = this.workers();
    const timer = setTimeout(() => void this.finish(id), TIMEOUT_MS);
    const waitingFor = new Set(workers.map((worker) => worker.id));
    this.collections.set(id, { asker, askersId, waitingFor, metrics: [], timer });
    for (const worker of workers) tell(worker, { kind: 'sendMetrics', id });
  }

  receive(worker: Worker, { id, metrics }: Extract<FromWorker, { kind: 'metrics' }>): void {
    const collection = this.collections.get(id);
    if (!collection) return;
    collection.metrics.push(metrics);
    collection.waitingFor.delete(worker.id);
    if (!collection.waitingFor.size) void this.finish(id);
  }

  private async finish(id: number): Promise<void> {
    const { asker, askersId, metrics, timer } = this.collections.get(id)!;
    clearTimeout(timer);
    this.collections.delete(id);
    const text = await AggregatorRegistry.aggregate(metrics).metrics();
    tell(asker, { kind: 'allMetrics', id: askersId, text });
  }
}

/** Sends a message to a worker, if it still lives. */
export function tell(worker: Worker, message: FromPrimary): void {
  if (worker.isConnected()) worker.send(message);
}
