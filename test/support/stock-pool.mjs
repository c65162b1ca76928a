// With STOCK_POOL set, the fault tests run on TypeORM's own pool and without retries, to see them fail.
import pg from 'pg';

/** Removes the recycling pool and the retries from the service. */
export function useStockPool({ recyclingPg }, { DatabaseStartup }) {
  recyclingPg.Pool = class StockPool extends pg.Pool {
    /** Without a limit, a query on a silent connection would wait for ever. */
    constructor({ deadlineMs, ...options }) {
      super({ ...options, ssl: false, query_timeout: deadlineMs / 6 });
    }

    async checkOut() {
      return this.connect();
    }

    abort() {
      // pg's pool cannot abort
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
