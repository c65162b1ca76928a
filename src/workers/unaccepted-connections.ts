import type { Worker } from 'node:cluster';

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
 * Closes the connections that were given to a worker which ended before it accepted them. Node keeps them
 * open in the primary process, and their clients would wait for ever.
 *
 * It sees the messages of Node's cluster, which are not documented. A test with a stopped worker fails if
 * another version of Node sends other ones.
 */
export function closeUnacceptedWhenEnded({ process: child }: Worker): void {
  const unaccepted = new Map<number, Closable>();
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const [message, connection] = args;
    if (isNewConnection(message)) unaccepted.set(message.seq, connection as Closable);
    return send(...args);
  };
  child.on('internalMessage', ({ ack }: Confirmation) => {
    if (ack !== undefined) unaccepted.delete(ack);
  });
  child.once('exit', () => {
    for (const connection of unaccepted.values()) connection.close();
    unaccepted.clear();
  });
}

function isNewConnection(message: unknown): message is NewConnection {
  return (message as Partial<NewConnection>).act === 'newconn';
}
