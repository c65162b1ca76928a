import type { Worker } from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A message of Node's primary process to a worker: one with a connection, or one that ends them. */
interface ToWorker {
  act?: 'newconn' | 'disconnect';
  seq: number;
}

/** A message of a worker: how it answers one of the primary process, or that it closed the port. */
interface FromWorker {
  ack?: number;
  accepted?: boolean;
  act?: 'close';
}

interface Closable {
  close: () => void;
}

/**
 * The connections that were given to workers which did not accept them yet: one for each worker, as long as
 * others wait in the primary process. Closes those that no worker will accept: Node keeps them open in the
 * primary process, and their clients would wait for ever.
 *
 * It sees the messages of Node's cluster, which are not documented. A test with a stopped worker fails if
 * another version of Node sends other ones.
 */
export class UnacceptedConnections {
  private readonly ofWorkers = new Map<Worker, Map<number, Closable>>();
  /** The workers that were given connections and are given more. */
  private readonly listening = new Set<Worker>();
  private readonly events = new EventEmitter<{ change: [] }>();
  private given = 0;

  /** Call it for each new worker. */
  watch(worker: Worker): void {
    this.ofWorkers.set(worker, new Map());
    const child = worker.process;
    const send = child.send.bind(child) as (...args: unknown[]) => boolean;
    child.send = (...args: unknown[]) => {
      const [message, connection] = args;
      this.noteSent(worker, message as ToWorker, connection as Closable);
      return send(...args);
    };
    child.on('internalMessage', (message: FromWorker) => this.noteReceived(worker, message));
    child.once('exit', () => this.noteEnded(worker));
  }

  private noteSent(worker: Worker, { act, seq }: ToWorker, connection: Closable): void {
    if (act === 'disconnect') this.listening.delete(worker);
    if (act !== 'newconn') return;
    this.listening.add(worker);
    this.ofWorkers.get(worker)?.set(seq, connection);
    this.given += 1;
  }

  private noteReceived(worker: Worker, { act, ack, accepted }: FromWorker): void {
    if (act === 'close') this.listening.delete(worker);
    const unaccepted = this.ofWorkers.get(worker);
    const connection = ack === undefined ? undefined : unaccepted?.get(ack);
    if (!connection) return;
    unaccepted!.delete(ack!);
    // Node has given a refused one to another worker before, if there is one
    if (!accepted && !this.listening.size) connection.close();
    this.events.emit('change');
  }

  private noteEnded(worker: Worker): void {
    const unaccepted = this.ofWorkers.get(worker)!;
    this.ofWorkers.delete(worker);
    this.listening.delete(worker);
    for (const connection of unaccepted.values()) connection.close();
    this.events.emit('change');
  }

  /**
   * Resolves when no connection is lost with a worker: when another one is given those that wait, or when none waits
   * and none arrived in a turn of the event loop; at the latest when it ended.
   */
  async untilNoneIsLost(worker: Worker): Promise<void> {
    let given: number;
    do {
      if ([...this.listening].some((other) => other !== worker)) return;
      while (this.ofWorkers.get(worker)?.size) await once(this.events, 'change');
      given = this.given;
      // the first one only ends the turn in which the last connection was accepted
      await nextTurn();
      await nextTurn();
    } while (this.given !== given);
  }
}
