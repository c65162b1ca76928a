import type { Worker } from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** The message by which Node's primary process gives a connection to a worker. */
interface NewConnection {
  cmd: 'NODE_CLUSTER';
  act: 'newconn';
  seq: number;
}

/** How the worker confirms a message of the primary process. */
interface Confirmation {
  ack?: number;
}

interface Closable {
  close: () => void;
}

/**
 * The connections that were given to workers which did not accept them yet: one for each worker, as long as
 * others wait in the primary process.
 *
 * It sees the messages of Node's cluster, which are not documented. A test with a stopped worker fails if
 * another version of Node sends other ones.
 */
export class UnacceptedConnections {
  private readonly ofWorkers = new Map<Worker, Map<number, Closable>>();
  private readonly events = new EventEmitter<{ change: [] }>();
  private given = 0;

  /**
   * Watches a new worker. Closes its connections if it ends before it accepted them: Node keeps them open in
   * the primary process, and their clients would wait for ever.
   */
  watch(worker: Worker): void {
    const unaccepted = new Map<number, Closable>();
    this.ofWorkers.set(worker, unaccepted);
    const child = worker.process;
    const send = child.send.bind(child) as (...args: unknown[]) => boolean;
    child.send = (...args: unknown[]) => {
      const [message, connection] = args;
      if (isNewConnection(message)) {
        unaccepted.set(message.seq, connection as Closable);
        this.given += 1;
      }
      return send(...args);
    };
    child.on('internalMessage', ({ ack }: Confirmation) => {
      if (ack !== undefined && unaccepted.delete(ack)) this.events.emit('change');
    });
    child.once('exit', () => {
      this.ofWorkers.delete(worker);
      for (const connection of unaccepted.values()) connection.close();
      this.events.emit('change');
    });
  }

  /**
   * Resolves when no connection waits for the only worker that is given some, and none arrived in a turn of the event
   * loop; at the latest when it ended.
   */
  async untilNoneWaits(worker: Worker): Promise<void> {
    let given: number;
    do {
      while (this.ofWorkers.get(worker)?.size) await once(this.events, 'change');
      given = this.given;
      // the first one only ends the turn in which the last connection was accepted
      await nextTurn();
      await nextTurn();
    } while (this.given !== given);
  }
}

function isNewConnection(message: unknown): message is NewConnection {
  return (message as Partial<NewConnection>).act === 'newconn';
}
