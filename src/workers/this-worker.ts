import cluster from 'node:cluster';
import type { FromPrimary, FromWorker } from './messages.js';

/** Whether this process is one of several, which share their port: https://nodejs.org/api/cluster.html */
export const isWorker = cluster.isWorker;

/** Whether this process is alone, or the first of the workers: what concerns all of them is logged once. */
export const isFirst = !isWorker || cluster.worker!.id === 1;

/** Sends a message to the primary process, if this process is a worker. */
export function tellPrimary(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

/**
 * Ends the connection to the primary process, if this process is a worker, so that it can end. It returns before the
 * primary process has agreed, which makes it give no more connections to this worker. The last of them may be on
 * their way: Node gives those that a worker did not accept to another one, but only as long as the worker answers.
 * https://nodejs.org/api/cluster.html#workerdisconnect
 */
export function leavePrimary(): void {
  if (process.connected) cluster.worker?.disconnect();
}

/** Calls `listener` for each message of a kind. Returns a function that ends that. */
export function onMessage<Kind extends FromPrimary['kind']>(
  kind: Kind,
  listener: (message: Extract<FromPrimary, { kind: Kind }>) => void,
): () => void {
  const listen = (message: FromPrimary) => {
    if (message.kind === kind) listener(message as never);
  };
  process.on('message', listen);
  return () => process.off('message', listen);
}
