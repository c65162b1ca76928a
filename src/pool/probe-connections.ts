import type pg from 'pg';
import type { AdaptiveTimeout } from './adaptive-timeout.js';
import { RecyclingClient } from './recycling-client.js';

/** Connections outside of the pool that ask a server how it is. Each is closed after its question. */
export class ProbeConnections {
  private readonly clients = new Set<RecyclingClient>();

  /**
   * Connects, and runs `ask` on the connection.
   * @throws {ResponseTimeoutError} if both take longer than `timeout`.
   */
  async run<T>(
    options: pg.ClientConfig,
    timeout: AdaptiveTimeout,
    ask: (client: RecyclingClient) => Promise<T>,
  ): Promise<T> {
    const client = new RecyclingClient(options);
    this.clients.add(client);
    try {
      return await client.respondWithin(timeout, async () => {
        await client.connect();
        return ask(client);
      });
    } finally {
      this.clients.delete(client);
      await client.end();
    }
  }

  /** Closes the connections that are open. Their questions are rejected with `reason`. */
  discardAll(reason: Error): void {
    for (const client of this.clients) client.discard(reason);
  }
}
