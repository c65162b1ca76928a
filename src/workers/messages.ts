import type { MetricObject } from 'prom-client';

/** How many requests clients sent, by client. */
export type Counts = [client: string | number, count: number][];

interface SharedCountsMessage {
  kind: 'counts';
  counts: Counts;
  /** When the window of the counts ends, in milliseconds since the epoch. */
  endsAt: number;
}

/** What a worker sends to the primary process. */
export type FromWorker =
  | { kind: 'ready'; url: string }
  | { kind: 'drained' }
  | { kind: 'leaving' }
  | SharedCountsMessage
  | { kind: 'readMetrics'; id: number }
  | { kind: 'metrics'; id: number; metrics: MetricObject[] };

/** What the primary process sends to a worker. */
export type FromPrimary =
  | SharedCountsMessage
  | { kind: 'sendMetrics'; id: number }
  | { kind: 'allMetrics'; id: number; text: string };
