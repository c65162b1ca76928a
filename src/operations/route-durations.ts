import { ByRoute } from './by-route.js';

/** The upper bounds of the buckets, in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Series {
  labels: { method: string; route: string; status: number };
  /** The last one counts what is above all bounds. */
  counts: number[];
  sum: number;
}

/**
 * A histogram for each route and status, as a metric of prom-client. Its own histogram finds the series by
 * sorting and joining the labels of each value, which costs more than all of this.
 */
export class RouteDurations {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  private readonly series = new ByRoute(newSeries);

  constructor(
    readonly name: string,
    readonly help: string,
  ) {}

  observe(method: string, route: string, status: number, seconds: number): void {
    const series = this.series.get(method, route, status);
    let bucket = 0;
    while (seconds > BOUNDS[bucket]!) bucket += 1;
    series.counts[bucket]! += 1;
    series.sum += seconds;
  }

  /** Called by the registry. */
  get() {
    const { name, help, type, aggregator } = this;
    const all = this.series.all();
    return { name, help, type, aggregator, values: all.flatMap((series) => this.valuesOf(series)) };
  }

  private valuesOf({ labels, counts, sum }: Series) {
    let total = 0;
    const buckets = counts.map((count, bucket) => {
      total += count;
      const le = BOUNDS[bucket] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: total },
    ];
  }
}

function newSeries(method: string, route: string, status: number): Series {
  const counts = Array<number>(BOUNDS.length + 1).fill(0);
  return { labels: { method, route, status }, counts, sum: 0 };
}
