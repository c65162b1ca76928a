import { nextIdSql, sequenceOf } from '../journal/id-sequence.js';
import type { JournaledTable } from '../journal/journaled-table.js';
import { beforeName, planColumns, type Plan } from '../journal/plan.js';
import type { SqlExecutor } from '../journal/write-request.js';
import type { ImportColumn } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import { STAGING_TABLE } from './staging.js';

/** What is done with a row whose record exists: the record is updated, or the row is skipped. */
export type Resolution = 'merge-duplicates' | 'ignore-duplicates';

/** How the record of a row is found, and what is done with it. */
export interface Conflict {
  /** The columns that identify a record: the id, or the natural key. */
  key: string[];
  resolution: Resolution;
}

/** SQL for the records that the staged rows become, as `BulkJournal.createMany` takes it. */
export function selectStagedSql({ columns }: ImportRules): string {
  return `SELECT assigned_id AS id, 1 AS version, ${storedColumns(columns)} FROM ${STAGING_TABLE}`;
}

/**
 * Merges rows into the table. `identifiedRows` is SQL for the staged rows with ids and versions; without it, new
 * records get the next ids.
 *
 * If several rows have the same key, the last one counts when merging and the first one when ignoring
 * duplicates. If several records have the key, the oldest one is matched. A record that equals its row is
 * not changed. A record keeps its id, also if its row has another one.
 */
export async function planMerge(
  executor: SqlExecutor,
  table: JournaledTable,
  rules: ImportRules,
  conflict: Conflict,
  identifiedRows?: string,
): Promise<Plan> {
  const [id, version] = identifiedRows
    ? ['id', 'version']
    : [nextIdSql(await sequenceOf(executor, rules.table)), '1'];
  const columns = planColumns(
    table,
    {
      id: `coalesce(record_id, ${id})`,
      version: `coalesce(record_version + 1, ${version})`,
      operation: `CASE WHEN record_id IS NULL THEN 'create' ELSE 'update' END`,
      value: (name) => mergedValue(name, conflict),
      before: beforeName,
    },
    'record_id IS NOT NULL',
  );
  const text = `
    WITH staged AS (${identifiedRows ?? stagedRowsSql(rules.columns)}), ${matchSql(rules, conflict)}
    SELECT ${columns} FROM (
      SELECT * FROM matched WHERE record_id IS NULL ${orIsChanged(rules, conflict)} ORDER BY line) AS changed`;
  return { text, values: [] };
}

/** The value of a row; that of its record, if it is part of the key, or the row does not have it. */
function mergedValue(name: string, { key }: Conflict): string {
  if (key.includes(name))
    return `CASE WHEN record_id IS NULL THEN ${name} ELSE ${beforeName(name)} END`;
  return `CASE WHEN record_id IS NOT NULL AND '${name}' = ANY (absent) THEN ${beforeName(name)} ELSE ${name} END`;
}

function orIsChanged({ columns }: ImportRules, conflict: Conflict): string {
  const others = columns.filter(({ name }) => !conflict.key.includes(name));
  if (conflict.resolution === 'ignore-duplicates' || !others.length) return '';
  const before = others.map(({ name }) => beforeName(name));
  const values = others.map(({ name }) => mergedValue(name, conflict));
  return `OR ROW(${before.join(', ')}) IS DISTINCT FROM ROW(${values.join(', ')})`;
}

/** SQL for the staged rows, as text, that would become new records. */
export function newRowsSql(rules: ImportRules, conflict: Conflict | undefined): string {
  if (!conflict) return `SELECT * FROM ${STAGING_TABLE}`;
  return `
    WITH staged AS (${stagedRowsSql(rules.columns)}),
    ${matchSql(rules, conflict)}
    SELECT ${STAGING_TABLE}.* FROM ${STAGING_TABLE} JOIN matched USING (line) WHERE record_id IS NULL`;
}

/** The row that counts for each key, and the record that has the key. */
function matchSql({ table, columns }: ImportRules, { key, resolution }: Conflict): string {
  const names = key.join(', ');
  const isMerge = resolution === 'merge-duplicates';
  const sameKey = key.map((name) => sameValueSql(name, columns));
  const before = columns.map(({ name }) => `record.${name} AS ${beforeName(name)}`);
  return `
    distinct_rows AS (
      SELECT DISTINCT ON (${names}) * FROM staged
      ORDER BY ${names}, line ${isMerge ? 'DESC' : 'ASC'}),
    matched AS (
      SELECT DISTINCT ON (line) distinct_rows.*, record.id AS record_id,
             record.version AS record_version, ${before.join(', ')}
      FROM distinct_rows LEFT JOIN ${table} AS record ON ${sameKey.join(' AND ')}
      ORDER BY line, record.id)`;
}

function stagedRowsSql(columns: ImportColumn[]): string {
  return `SELECT line, absent, ${storedColumns(columns)} FROM ${STAGING_TABLE}`;
}

/** A column that is never null is compared by =, for which PostgreSQL can use a hash join. */
function sameValueSql(name: string, columns: ImportColumn[]): string {
  const isNullable = columns.some((column) => column.name === name && !column.isRequired);
  return `record.${name} ${isNullable ? 'IS NOT DISTINCT FROM' : '='} distinct_rows.${name}`;
}

/** The values of columns in the staging table, as they are stored. */
export function storedColumns(columns: ImportColumn[]): string {
  return columns.map(({ name, storedSql }) => `${storedSql(name)} AS ${name}`).join(', ');
}
