import type { MetricObject, Registry } from 'prom-client';
import { isWorker, onMessage, tellPrimary } from './this-worker.js';

/** The primary process answers sooner, with what the workers answered. */
const TIMEOUT_MS = 5000;

let lastId = 0;

/** Sends the metrics of this worker when they are wanted. Returns a function that ends that. */
export function shareMetrics(registry: Registry): () => void {
  if (!isWorker) return () => undefined;
  return onMessage('sendMetrics', ({ id }) => void sendMetrics(registry, id));
}

async function sendMetrics(registry: Registry, id: number): Promise<void> {
  const metrics = (await registry.getMetricsAsJSON()) as unknown as MetricObject[];
  tellPrimary({ kind: 'metrics', id, metrics });
}

/** The metrics of all workers, added up, or those of this process if it is alone. */
export async function readMetrics(registry: Registry): Promise<string> {
  if (!isWorker) return registry.metrics();
  const id = (lastId += 1);
  return new Promise((resolve, reject) => {
    const end = (work: () => void) => {
      stop();
      clearTimeout(timer);
      work();
    };
    const stop = onMessage('allMetrics', (message) => {
      if (message.id === id) end(() => resolve(message.text));
    });
    const expire = () => reject(new Error('The primary process sent no metrics.'));
    const timer = setTimeout(() => end(expire), TIMEOUT_MS);
    tellPrimary({ kind: 'readMetrics', id });
  });
}
