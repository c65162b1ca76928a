// With STOCK_POOL set the fault tests run on TypeORM's own pool, and nothing is done again: to see them fail.
import pg from 'pg';

/** Takes from the service's modules what keeps its promise. */
export function useStockPool({ recyclingPg }, { DatabaseStartup }) {
  recyclingPg.Pool = class StockPool extends pg.Pool {
    /** Without a limit, who asks a connection that died in silence would wait for ever. */
    constructor({ deadlineMs, ...options }) {
      super({ ...options, ssl: false, query_timeout: deadlineMs / 6 });
    }

    async checkOut() {
      return this.connect();
    }

    abort() {
      // pg's own pool cannot
    }
  };
  DatabaseStartup.prototype.withRetry = async (work) => work();
  DatabaseStartup.prototype.withRetryUntil = async (_, work) => work();
}

if (process.env.STOCK_POOL === 'service') {
  const dist = new URL('../../dist/src/', import.meta.url);
  useStockPool(
    await import(new URL('pool/recycling-pool.js', dist)),
    await import(new URL('database/database-startup.js', dist)),
  );
}
