import type { ImportColumn } from './columns.js';
import { STAGED_ROWS } from './staging.js';

/** Whether a row whose key is there already changes that record, or is left out. */
export type Resolution = 'merge-duplicates' | 'ignore-duplicates';

/** What becomes of a row whose key is there already. */
export interface Conflicts {
  key: string[];
  resolution: Resolution;
}

/** SQL for the records that the staged rows are to be, as `Journal.createMany` takes it. */
export function selectStaged(columns: ImportColumn[]): string {
  const stored = columns.map(({ name, asStored }) => `${asStored(name)} AS ${name}`);
  return `SELECT id, ${stored.join(', ')} FROM ${STAGED_ROWS}`;
}

/**
 * SQL that stores the staged rows, as `Journal.changeMany` takes it, where a key may be there already,
 * in the table or further up in the file. Of equal rows the last counts where they are merged, the
 * first where duplicates are ignored; of several records that have the key the oldest is meant. A
 * record that is like its row already is left alone.
 */
export function landByKey(table: string, columns: ImportColumn[], conflicts: Conflicts): string {
  const { key, resolution } = conflicts;
  const isMerge = resolution === 'merge-duplicates';
  const stored = columns.map(({ name, asStored }) => `${asStored(name)} AS ${name}`);
  const others = columns.filter(({ name }) => !key.includes(name));
  const sameKey = columns.filter(({ name }) => key.includes(name)).map(isSame);
  return `
    staged AS (SELECT line, absent, ${stored.join(', ')} FROM ${STAGED_ROWS}),
    wanted AS (
      SELECT DISTINCT ON (${key.join(', ')}) * FROM staged
      ORDER BY ${key.join(', ')}, line ${isMerge ? 'DESC' : 'ASC'}),
    matched AS (
      SELECT DISTINCT ON (line) wanted.*, record.id AS record_id
      FROM wanted LEFT JOIN ${table} AS record ON ${sameKey.join(' AND ')}
      ORDER BY line, record.id),
    created AS (
      INSERT INTO ${table} (${namesOf(columns)}, version)
      SELECT ${namesOf(columns)}, 1 FROM matched WHERE record_id IS NULL ORDER BY line
      RETURNING *, 'create' AS operation)
    ${isMerge && others.length ? mergeInto(table, others) : ', changed AS (SELECT * FROM created)'}`;
}

function mergeInto(table: string, columns: ImportColumn[]): string {
  const values = columns.map(
    ({ name }) =>
      `CASE WHEN '${name}' = ANY (matched.absent) THEN record.${name} ELSE matched.${name} END`,
  );
  const sets = columns.map(({ name }, index) => `${name} = ${values[index]}`);
  const olds = columns.map(({ name }) => `record.${name}`);
  return `,
    merged AS (
      UPDATE ${table} AS record SET ${sets.join(', ')}, version = record.version + 1
      FROM matched WHERE record.id = matched.record_id
        AND ROW(${olds.join(', ')}) IS DISTINCT FROM ROW(${values.join(', ')})
      RETURNING record.*, 'update' AS operation),
    changed AS (SELECT * FROM created UNION ALL SELECT * FROM merged)`;
}

/** Where the key is required it is compared by =, which PostgreSQL can hash. */
function isSame({ name, isRequired }: ImportColumn): string {
  return `record.${name} ${isRequired ? '=' : 'IS NOT DISTINCT FROM'} wanted.${name}`;
}

function namesOf(columns: ImportColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}
