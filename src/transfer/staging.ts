import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import type { ImportColumn } from './columns.js';
import { pointInto } from './json-rows.js';
import type { Rejections } from './rejections.js';
import type { Explain, IncomingRows } from './rows.js';

/** The table that rows wait in, as text, until they are judged; it ends with its transaction. */
export const STAGED_ROWS = 'staged_row';

const MOST_SHOWN = 1000;
/** Rows are gathered and sorted in memory up to here before PostgreSQL writes them to a file. */
const WORK_MEMORY = '128MB';

/**
 * Makes the table, and copies the rows into it as fast as they come. Returns how many came. Each gets
 * an `id` from the sequence of `table`, if one is named.
 */
export async function stageRows(
  runner: QueryRunner,
  columns: ImportColumn[],
  rows: IncomingRows,
  table?: string,
): Promise<number> {
  const absent = columns.filter(({ name }) => !rows.columns.includes(name)).map(({ name }) => name);
  const texts = columns.map(({ name }) => `${name} text`);
  const id = table ? `id integer DEFAULT nextval('${await findSequence(runner, table)}'),` : '';
  await runner.query(
    `SET LOCAL work_mem = '${WORK_MEMORY}'; SET LOCAL idle_in_transaction_session_timeout = 0`,
  );
  await runner.query(
    `CREATE TEMPORARY TABLE ${STAGED_ROWS}
     (${id} line integer, ${texts.join(', ')}, absent text[] DEFAULT '{${absent.join(',')}}')
     ON COMMIT DROP`,
  );
  const client = (await runner.connect()) as PoolClient;
  const copy = client.query(copyFrom(copyStatement(columns, rows)));
  await pipeline(Readable.from(rows.copyText), copy);
  return copy.rowCount;
}

async function findSequence(runner: QueryRunner, table: string): Promise<string> {
  const sql = `SELECT pg_get_serial_sequence($1, 'id') AS name`;
  const [sequence] = (await runner.query(sql, [table])) as { name: string }[];
  return sequence!.name;
}

/** Rejects the rows that PostgreSQL finds wanting, in the words of `explain`. */
export async function judgeRows(
  runner: QueryRunner,
  columns: ImportColumn[],
  { pointTo }: IncomingRows,
  rejections: Rejections,
  explain: Explain,
): Promise<void> {
  const good = columns.map(({ name, isGood }) => isGood(name)).join(' AND ');
  const bad: StagedRow[] = await runner.query(
    `SELECT *, count(*) OVER ()::integer AS total FROM ${STAGED_ROWS}
     WHERE (${good}) IS NOT TRUE ORDER BY line LIMIT ${MOST_SHOWN}`,
  );
  const rejected = bad.map((row) => {
    const faults = explain(readMembers(row, columns));
    return { line: row.line, faults: faults.map((fault) => pointInto(pointTo(row.line), fault)) };
  });
  const unexplained = rejected.find(({ faults }) => !faults.length);
  if (unexplained) throw new Error(`Line ${unexplained.line} was rejected for no reason.`);
  rejections.addAll(rejected, bad[0]?.total ?? 0);
}

type StagedRow = { line: number; total: number } & Record<string, unknown>;

function readMembers(row: StagedRow, columns: ImportColumn[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.map(({ name, jsonType }) => [
      name,
      jsonType === 'number' ? asNumber(row[name]) : row[name],
    ]),
  );
}

function asNumber(text: unknown): unknown {
  return typeof text === 'string' && /^\s*\d+\s*$/.test(text) ? Number(text) : text;
}

function copyStatement(columns: ImportColumn[], rows: IncomingRows): string {
  const forceNull = rows.isEmptyNull ? `, FORCE_NULL (${rows.columns.join(', ')})` : '';
  return `COPY ${STAGED_ROWS} (line, ${rows.columns.join(', ')})
          FROM STDIN (FORMAT csv, DELIMITER '${rows.delimiter}'${forceNull})`;
}
