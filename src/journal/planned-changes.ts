import pg from 'pg';
import type { EntityManager } from 'typeorm';
import { CHANGE_COUNTS_SQL, type ChangeCounts } from './change-counts.js';
import type { Operation } from './journal.entity.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { BEFORE, beforeName, columnsIn, type Plan } from './plan.js';

/** The table of planned changes. It is dropped with its transaction. */
const PLAN_TABLE = 'planned_change';
const IS_NEW = `NOT is_stored AND operation <> 'none'`;

/** What was planned. */
export interface Planned extends ChangeCounts {
  /** The number of changes. */
  total: number;
  /** How many records were considered, those included that are not changed. */
  considered: number;
}

/** How many records are changed in all, deleted, and new. */
interface Effects {
  total: number;
  deleted: number;
  created: number;
}

/** SQL for changes as rows, with its parameters. */
interface Source {
  relation: string;
  values: unknown[];
}

/** A program that does not use the journal changed a record between the plan and its execution. Plan again. */
class ConcurrentChangeError extends Error {
  override readonly name = 'ConcurrentChangeError';
  /** `serialization_failure`, which is retried: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html */
  readonly code = '40001';
}

/** A change of one record, with its columns before and after it. */
export type Change = Journaled & { operation: Operation; is_stored: boolean };

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
  check: (planned: Planned) => void = () => undefined,
): Promise<Planned> {
  await manager.query(
    `CREATE TEMPORARY TABLE ${PLAN_TABLE} (${planDefinitions(table)}) ON COMMIT DROP`,
  );
  await manager.query(`INSERT INTO ${PLAN_TABLE} ${plan.text}`, plan.values);
  const { created, ...planned } = await countChanges(manager);
  check(planned);
  await execute(manager, table, seq, { relation: PLAN_TABLE, values: [] }, { ...planned, created });
  await manager.query(`DROP TABLE ${PLAN_TABLE}`);
  return { ...planned, range: planned.total ? [seq + 1, seq + planned.total] : null };
}

/** As `executePlan`, for changes that are known. */
export async function executeChanges(
  manager: EntityManager,
  table: JournaledTable,
  seq: number,
  changes: Change[],
): Promise<void> {
  const relation = `json_to_recordset($1::json) AS ${PLAN_TABLE} (${planDefinitions(table)})`;
  const effects = {
    total: changes.length,
    deleted: changes.filter(({ operation }) => operation === 'delete').length,
    created: changes.filter(({ is_stored }) => !is_stored).length,
  };
  await execute(manager, table, seq, { relation, values: [JSON.stringify(changes)] }, effects);
}

/** The record that a change leaves; for a deletion, the last one. */
export function recordOf(table: JournaledTable, change: Change): Journaled {
  return { id: change.id, version: change.version, ...table.recordOf(change) };
}

/** A record in the table now, with its columns as JSON. */
export type StoredRecord = Journaled & { record: Record<string, unknown> };

export async function findRecords(
  manager: EntityManager,
  table: JournaledTable,
  ids: number[],
): Promise<StoredRecord[]> {
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

async function countChanges(manager: EntityManager): Promise<Planned & Effects> {
  const [counts] = (await manager.query(
    `SELECT ${CHANGE_COUNTS_SQL}, count(*)::integer AS considered,
            count(*) FILTER (WHERE operation <> 'none')::integer AS total,
            count(*) FILTER (WHERE ${IS_NEW})::integer AS created
     FROM ${PLAN_TABLE}`,
  )) as [Planned & Effects];
  return counts;
}

async function execute(
  manager: EntityManager,
  table: JournaledTable,
  seq: number,
  { relation, values }: Source,
  { total, deleted, created }: Effects,
): Promise<void> {
  if (!total) return;
  const replaced = total - deleted - created;
  if (deleted) await executeExpecting(manager, deleteSql(table, relation), values, deleted);
  if (replaced) await executeExpecting(manager, updateSql(table, relation), values, replaced);
  if (created) await manager.query(insertSql(table, relation), values);
  await manager.query(journalSql(table, relation, seq), values);
}

async function executeExpecting(
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
