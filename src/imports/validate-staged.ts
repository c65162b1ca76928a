import type { QueryRunner } from 'typeorm';
import type { ImportColumn } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import type { ParsedRows } from './parsed-rows.js';
import { issueAt, MAX_REPORTED_ROWS, type RowErrors } from './row-errors.js';
import { STAGING_TABLE } from './staging.js';

type StagedRow = { line: number; total: number } & Record<string, unknown>;

/** Finds the invalid rows of the staging table, and adds them to `rowErrors` with their issues. */
export async function validateStaged(
  runner: QueryRunner,
  rules: ImportRules,
  { pointerTo, hasIds }: ParsedRows,
  rowErrors: RowErrors,
): Promise<void> {
  const columns = hasIds() ? rules.uploadColumns : rules.columns;
  const areValid = columns.map(({ name, isValidSql }) => isValidSql(name)).join(' AND ');
  const invalid: StagedRow[] = await runner.query(
    `SELECT *, count(*) OVER ()::integer AS total FROM ${STAGING_TABLE}
     WHERE (${areValid}) IS NOT TRUE ORDER BY line LIMIT ${MAX_REPORTED_ROWS}`,
  );
  const rejected = invalid.map((row) => {
    const issues = rules.explain(toMembers(row, columns));
    if (!issues.length) throw new Error(`Line ${row.line} was rejected without a reason.`);
    return { line: row.line, issues: issues.map((issue) => issueAt(pointerTo(row.line), issue)) };
  });
  rowErrors.addAll(rejected, invalid[0]?.total ?? 0);
}

function toMembers(row: StagedRow, columns: ImportColumn[]): Record<string, unknown> {
  const members = columns.map(({ name, jsonType }) => {
    const text = row[name];
    return [name, jsonType === 'number' ? toNumber(text) : text];
  });
  return Object.fromEntries(members) as Record<string, unknown>;
}

function toNumber(text: unknown): unknown {
  return typeof text === 'string' && /^\s*\d+(\.0*)?\s*$/.test(text) ? Number(text) : text;
}
