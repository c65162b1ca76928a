import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { CHANGE_COUNTS_SQL, type ChangeCounts } from './change-counts.js';
import type { Operation } from './journal.entity.js';
import type { Journaled, JournaledTable } from './journaled-table.js';

/** The table of planned changes. It is dropped with its transaction. */
const PLAN_TABLE = 'planned_change';
const BEFORE = 'before_';
const IS_NEW = `NOT is_stored AND operation <> 'none'`;

/**
 * SQL that selects what records become: the `planColumns`. Plain statements execute it in one transaction, which
 * distributed databases run too. Most of them take no statement that changes several tables.
 */
export interface Plan {
  text: string;
  values: unknown[];
}

/** What was planned. */
export interface Planned extends ChangeCounts {
  /** The number of changes. */
  total: number;
  /** How many records were considered, those included that are not changed. */
  considered: number;
}

/** A program that does not use the journal changed a record between the plan and its execution. Plan again. */
class ConcurrentChangeError extends Error {
  override readonly name = 'ConcurrentChangeError';
  /** `serialization_failure`, which is retried: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
  readonly code = '40001';
}

/** What a plan says of each record: what it becomes. `operation` is `none` if it stays as it is. */
export interface PlannedColumns {
  id: string;
  version: string;
  operation: string;
  /** SQL for the value of a column; for a deletion, the last one. */
  value: (column: string) => string;
  /** SQL for the value of a column in the table now. */
  before: (column: string) => string;
}

/** A change of one record, with its columns before and after it. */
export type Change = Journaled & { operation: Operation; is_stored: boolean };

/** The SELECT list of a plan. `isStored` is SQL for whether the record is in the table now. */
export function planColumns(
  { columns }: JournaledTable,
  { id, version, operation, value, before }: PlannedColumns,
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

/**
 * Executes a plan and journals its changes, which are numbered on from `seq`, the number in the head row. The head row
 * must be locked. `check` may reject what was planned.
 * @throws {ConcurrentChangeError} which is retried
 */
export async function executePlan(
  manager: EntityManager,
  table: JournaledTable,
  seq: number,
  plan: Plan,
  check?: (planned: Planned) => void,
): Promise<Planned> {
  await manager.query(
    `CREATE TEMPORARY TABLE ${PLAN_TABLE} (${planDefinitions(table)}) ON COMMIT DROP`,
  );
  await manager.query(`INSERT INTO ${PLAN_TABLE} ${plan.text}`, plan.values);
  const planned = await execute(manager, table, seq, PLAN_TABLE, [], check);
  await manager.query(`DROP TABLE ${PLAN_TABLE}`);
  return planned;
}

/** As `executePlan`, for changes that are known. */
export async function executeChanges(
  manager: EntityManager,
  table: JournaledTable,
  seq: number,
  changes: Change[],
): Promise<void> {
  const relation = `json_to_recordset($1::json) AS ${PLAN_TABLE} (${planDefinitions(table)})`;
  await execute(manager, table, seq, relation, [JSON.stringify(changes)]);
}

/** Records in the table now, with their columns as JSON. */
export async function findRecords(
  manager: EntityManager,
  table: JournaledTable,
  ids: number[],
): Promise<(Journaled & { record: Record<string, unknown> })[]> {
  const sql = `SELECT id, version, ${table.jsonOf('stored')} AS record FROM ${table.name} AS stored WHERE id = ANY($1)`;
  return manager.query(sql, [ids]);
}

/** A change to the columns `record`, as `executeChanges` takes it. Without `stored`, the record is new. */
export function changeTo(
  table: JournaledTable,
  operation: Operation,
  { id, version }: Journaled,
  record: object,
  stored?: object,
): Change {
  const before = Object.entries(stored ? table.recordOf(stored) : {});
  return {
    id,
    version,
    operation,
    is_stored: stored !== undefined,
    ...table.recordOf(record),
    ...Object.fromEntries(before.map(([name, value]) => [`${BEFORE}${name}`, value])),
  };
}

async function execute(
  manager: EntityManager,
  table: JournaledTable,
  seq: number,
  relation: string,
  values: unknown[],
  check: (planned: Planned) => void = () => undefined,
): Promise<Planned> {
  type Counts = Planned & { created: number };
  const [counts] = (await manager.query(
    `SELECT ${CHANGE_COUNTS_SQL}, count(*)::integer AS considered,
            count(*) FILTER (WHERE operation <> 'none')::integer AS total,
            count(*) FILTER (WHERE ${IS_NEW})::integer AS created
     FROM ${relation}`,
    values,
  )) as [Counts];
  const { created, ...planned } = { ...counts, range: null };
  check(planned);
  if (!planned.total) return planned;
  const replaced = planned.total - planned.deleted - created;
  if (planned.deleted) await change(manager, deleteSql(table, relation), values, planned.deleted);
  if (replaced) await change(manager, updateSql(table, relation), values, replaced);
  if (created) await manager.query(insertSql(table, relation), values);
  await manager.query(journalSql(table, relation, seq), values);
  return { ...planned, range: [seq + 1, seq + planned.total] };
}

async function change(
  manager: EntityManager,
  sql: string,
  values: unknown[],
  expected: number,
): Promise<void> {
  const [, count] = (await manager.query(sql, values)) as [unknown[], number];
  if (count === expected) return;
  throw new ConcurrentChangeError('Another program changed a record that was about to be changed.');
}

function planDefinitions(table: JournaledTable): string {
  const before = table.definitionsOf(beforeName);
  return `id integer, version integer, operation text, is_stored boolean, ${table.definitions}, ${before}`;
}

function isUnchangedSql({ columns }: JournaledTable): string {
  const current = columns.map(columnsIn('record'));
  const before = columns.map((name) => `${PLAN_TABLE}.${beforeName(name)}`);
  return `record.id = ${PLAN_TABLE}.id AND is_stored
    AND ROW(${current.join(', ')}) IS NOT DISTINCT FROM ROW(${before.join(', ')})`;
}

function deleteSql(table: JournaledTable, relation: string): string {
  return `DELETE FROM ${table.name} AS record USING ${relation}
    WHERE operation = 'delete' AND ${isUnchangedSql(table)}`;
}

function updateSql(table: JournaledTable, relation: string): string {
  const values = columnsIn(PLAN_TABLE);
  const assignments = table.columns.map((name) => `${pg.escapeIdentifier(name)} = ${values(name)}`);
  return `UPDATE ${table.name} AS record
    SET version = ${PLAN_TABLE}.version, ${assignments.join(', ')} FROM ${relation}
    WHERE operation NOT IN ('delete', 'none') AND ${isUnchangedSql(table)}`;
}

function insertSql(table: JournaledTable, relation: string): string {
  return `INSERT INTO ${table.name} (id, version, ${table.list}) OVERRIDING SYSTEM VALUE
    SELECT id, version, ${table.list} FROM ${relation} WHERE ${IS_NEW}`;
}

function journalSql(table: JournaledTable, relation: string, seq: number): string {
  return `INSERT INTO journal (seq, record_id, version, operation, record)
    SELECT ${seq} + row_number() OVER (), id, version, operation, ${table.jsonOf(PLAN_TABLE)}
    FROM ${relation} WHERE operation <> 'none'`;
}
