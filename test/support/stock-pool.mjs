// With STOCK_POOL=1 the fault tests run on TypeORM's own pool, and nothing is done again: to see them fail.
import pg from 'pg';

/** Takes from the service's modules what keeps its promise. */
export function useStockPool({ recyclingPg }, { RetryInterceptor }) {
  recyclingPg.Pool = pg.Pool;
  RetryInterceptor.prototype.intercept = (_, next) => next.handle();
}

if (process.env.STOCK_POOL === 'service') {
  const dist = new URL('../../dist/src/', import.meta.url);
  useStockPool(
    await import(new URL('database/recycling-pool.js', dist)),
    await import(new URL('http/retry.interceptor.js', dist)),
  );
}
