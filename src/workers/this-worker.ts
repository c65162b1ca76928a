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
 * Ends the channel to the primary process, without which a worker cannot end; does nothing in other processes. The
 * channel stays open until the primary process gives this worker no more connections: Node gives one that is on its way
 * to another worker, but only if this one answers that it does not accept it.
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
