import type { JournaledTable } from './journaled-table.js';
import { columnsIn, planColumns, type Plan } from './plan.js';

/** Composes SQL that selects the ids of records. Its parameters begin after `offset` others. */
export type MatchingIds = (offset: number) => Plan;

/** Updates the columns in `changes`. A record that has these values already stays as it is. */
export function planUpdate(table: JournaledTable, matching: MatchingIds, changes: object): Plan {
  const ids = matching(0);
  const { names, values } = table.definedColumns(changes);
  const current = columnsIn('record');
  const placeholders = table.placeholders(names, ids.values.length + 1);
  const newValues = new Map(names.map((name, index) => [name, placeholders[index]!]));
  const isChanged = `ROW(${names.map(current).join(', ')}) IS DISTINCT FROM ROW(${placeholders.join(', ')})`;
  const columns = planColumns(table, {
    version: 'record.version + 1',
    operation: `CASE WHEN ${isChanged} THEN 'update' ELSE 'none' END`,
    value: (name) => newValues.get(name) ?? current(name),
  });
  return { text: selectSql(table, columns, ids), values: [...ids.values, ...values] };
}

export function planDeletion(table: JournaledTable, matching: MatchingIds): Plan {
  const ids = matching(0);
  const columns = planColumns(table, {
    version: 'record.version + 1',
    operation: `'delete'`,
  });
  return { text: selectSql(table, columns, ids), values: ids.values };
}

function selectSql({ name }: JournaledTable, columns: string, { text }: Plan): string {
  return `SELECT ${columns} FROM ${name} AS record WHERE record.id IN (${text})`;
}
