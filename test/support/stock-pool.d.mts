export function useStockPool(
  pool: typeof import('../../src/pool/recycling-pool.js'),
  opening: typeof import('../../src/database/database-startup.js'),
): void;
