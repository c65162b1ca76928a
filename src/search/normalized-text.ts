import { quoteName } from '../query/columns.js';
import { NORMALIZE_FUNCTION, type SearchCapabilities } from './search-capabilities.js';

/** SQL for the searched text of a row. An index is used only if its expression is exactly the same. */
export function normalizedTextSql(
  columns: string[],
  { trigramSchema }: SearchCapabilities,
): string {
  const texts = columns.map((name) => `coalesce(${quoteName(name)}, '')`);
  return `${trigramSchema ? NORMALIZE_FUNCTION : 'lower'}(${texts.join(` || ' ' || `)})`;
}
