import type { DataSource } from 'typeorm';
import { causeOf } from './failures.js';
import { hasErrorCode } from './error-code.js';

/** Tables that a role has no right to are hidden from it, and so seem to be missing. */
const [INSUFFICIENT_PRIVILEGE, DUPLICATE_TABLE] = ['42501', '42P07'];

interface Session {
  role: string;
  schema: string;
}

/** The role that we connect as lacks a right: the message names it, and the SQL that grants it. */
export class MissingPrivilegeError extends Error {}

/** Turns PostgreSQL's refusal into one line that says what to run; other failures stay as they are. */
export async function explainMissingPrivilege(
  dataSource: DataSource,
  failure: unknown,
): Promise<unknown> {
  const cause = causeOf(failure);
  if (!hasErrorCode(cause, INSUFFICIENT_PRIVILEGE, DUPLICATE_TABLE)) return failure;
  const [session] = (await dataSource.query(
    `SELECT quote_ident(current_user) AS role, quote_ident(current_schema()) AS schema`,
  )) as Session[];
  const { message } = cause as Error;
  return new MissingPrivilegeError(`${message}: ${findRemedy(message, session!)}`, { cause });
}

function findRemedy(message: string, { role, schema }: Session): string {
  const [, foreign, hidden] =
    /must be owner of (?:table|relation) (\S+)|relation "?([^" ]+)"? already exists/.exec(
      message,
    ) ?? [];
  const table = foreign ?? hidden;
  if (table) {
    return `the role ${role} cannot change it. As its owner, run ALTER TABLE ${schema}.${table} OWNER TO ${role};`;
  }
  if (/permission denied for schema/.test(message)) {
    return `the role ${role} cannot create tables there. As its owner, run GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`;
  }
  return (
    `the role ${role} lacks a right. As the owner of the tables, run ` +
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}; ` +
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};`
  );
}
