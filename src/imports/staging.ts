import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import { sequenceOf } from '../journal/id-sequence.js';
import type { ImportColumn } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import type { ParsedRows } from './parsed-rows.js';

/** The staging table: rows as text, until they are validated. It is dropped with its transaction. */
export const STAGING_TABLE = 'staged_row';

/** Sorts and hash tables of an import stay in memory up to this size. */
const WORK_MEM = '128MB';

/**
 * Creates the staging table and copies the rows into it. If a table is named by `numberedBy`, each row gets
 * an `assigned_id` from its sequence, unless the rows have ids. Returns the number of rows.
 */
export async function stageRows(
  runner: QueryRunner,
  { columns, uploadColumns }: ImportRules,
  rows: ParsedRows,
  numberedBy?: string,
): Promise<number> {
  const absent = columns.filter(({ name }) => !rows.columns.includes(name)).map(({ name }) => name);
  const texts = uploadColumns.map(({ name }) => `${name} text`);
  const isAssigned = numberedBy && !(rows.isCsv && rows.hasIds());
  const id = isAssigned ? `${await assignedId(runner, numberedBy)},` : '';
  await runner.query(
    `SET LOCAL work_mem = '${WORK_MEM}'; SET LOCAL idle_in_transaction_session_timeout = 0`,
  );
  await runner.query(
    `CREATE TEMPORARY TABLE ${STAGING_TABLE}
     (${id} line integer, ${texts.join(', ')}, absent text[] DEFAULT '{${absent.join(',')}}')
     ON COMMIT DROP`,
  );
  const client = (await runner.connect()) as PoolClient;
  const copy = client.query(copyFrom(copyStatement(rows, uploadColumns)));
  await pipeline(Readable.from(rows.copyText), copy);
  return copy.rowCount;
}

async function assignedId(runner: QueryRunner, table: string): Promise<string> {
  return `assigned_id integer DEFAULT nextval('${await sequenceOf(runner, table)}')`;
}

function copyStatement(rows: ParsedRows, importColumns: ImportColumn[]): string {
  const numbers = importColumns.filter(({ jsonType }) => jsonType === 'number');
  const emptyIsNull = rows.isCsv ? rows.columns.filter((name) => isOneOf(name, numbers)) : [];
  const forceNull = emptyIsNull.length ? `, FORCE_NULL (${emptyIsNull.join(', ')})` : '';
  return `COPY ${STAGING_TABLE} (line, ${rows.columns.join(', ')})
          FROM STDIN (FORMAT csv, DELIMITER '${rows.delimiter.replaceAll("'", "''")}'${forceNull})`;
}

function isOneOf(name: string, columns: ImportColumn[]): boolean {
  return columns.some((column) => column.name === name);
}
