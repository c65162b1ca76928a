export function useStockPool(
  pool: typeof import('../../src/database/recycling-pool.js'),
  opening: typeof import('../../src/database/opening.js'),
): void;
