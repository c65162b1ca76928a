export function useStockPool(
  pool: typeof import('../../src/database/recycling-pool.js'),
  retry: typeof import('../../src/http/retry.interceptor.js'),
): void;
