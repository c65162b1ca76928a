import pg from 'pg';
import type { JournaledTable } from './journaled-table.js';

/** Begins the name of a column that has the value before the change. */
export const BEFORE = 'before_';

/**
 * SQL that selects what records become: the `planColumns`. Plain statements execute it in one transaction, which
 * distributed databases run too. Most of them take no statement that changes several tables.
 */
export interface Plan {
  text: string;
  values: unknown[];
}

/** What a plan says of each record: what it becomes. `operation` is `none` if it stays as it is. */
export interface PlannedColumns {
  /** The default is that of the relation `record`. */
  id?: string;
  version: string;
  operation: string;
  /** SQL for the value of a column; for a deletion, the last one. The default is the value before. */
  value?: (column: string) => string;
  /** SQL for the value of a column in the table now. The default is that of the relation `record`. */
  before?: (column: string) => string;
}

/** The SELECT list of a plan. `isStored` is SQL for whether the record is in the table now. */
export function planColumns(
  { columns }: JournaledTable,
  {
    id = 'record.id',
    version,
    operation,
    before = columnsIn('record'),
    value = before,
  }: PlannedColumns,
  isStored = 'true',
): string {
  const values = columns.map((name) => `${value(name)} AS ${pg.escapeIdentifier(name)}`);
  const earlier = columns.map((name) => `${before(name)} AS ${beforeName(name)}`);
  const identity = `${id} AS id, ${version} AS version, ${operation} AS operation`;
  return [identity, `${isStored} AS is_stored`, ...values, ...earlier].join(', ');
}

/** The columns of a relation, for a plan. */
export function columnsIn(relation: string): (column: string) => string {
  return (column) => `${relation}.${pg.escapeIdentifier(column)}`;
}

/** The name of a column that has the value before the change. */
export function beforeName(column: string): string {
  return pg.escapeIdentifier(`${BEFORE}${column}`);
}
