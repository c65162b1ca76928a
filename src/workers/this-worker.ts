import cluster from 'node:cluster';
import { setTimeout as wait } from 'node:timers/promises';
import type { FromPrimary, FromWorker } from './messages.js';

const POLL_MS = 5;

/** Whether this process is one of several, which share their port: https://nodejs.org/api/cluster.html */
export const isWorker = cluster.isWorker;

/** Whether this process is alone, or the first of the workers: what concerns all of them is logged once. */
export const isFirst = !isWorker || cluster.worker!.id === 1;

/** Sends a message to the primary process, if this process is a worker. */
export function tellPrimary(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

/**
 * Tells the primary process that this worker has answered what it had. Resolves when the primary process gives it no
 * more connections, or after a time; at once in other processes.
 */
export async function untilNoMoreConnections(timeoutMs: number): Promise<void> {
  tellPrimary({ kind: 'drained' });
  const endsAt = Date.now() + timeoutMs;
  while (isGivenConnections() && Date.now() < endsAt) await wait(POLL_MS);
}

/**
 * Asks the primary process to end the channel to it, without which a worker cannot end; does nothing in other
 * processes. Node gives a connection that is on its way to another worker, but only if this one answers that it does
 * not accept it. https://nodejs.org/api/cluster.html#workerdisconnect
 */
export function leavePrimary(): void {
  if (isGivenConnections()) tellPrimary({ kind: 'leaving' });
}

function isGivenConnections(): boolean {
  return isWorker && process.connected && !cluster.worker!.exitedAfterDisconnect;
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
