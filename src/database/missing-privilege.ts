import type { DataSource } from 'typeorm';
import { causeOf } from '../pool/database-errors.js';
import { hasErrorCode } from '../pool/error-code.js';
import { MissingPrivilegeError } from './schema-errors.js';

/** Tables are invisible to a role without privileges on them, so creating them fails as a duplicate. */
const [INSUFFICIENT_PRIVILEGE, DUPLICATE_TABLE] = ['42501', '42P07'];

interface Session {
  role: string;
  schema: string;
}

/** Turns PostgreSQL's error into one line that says what to run. Returns other failures unchanged. */
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
  return new MissingPrivilegeError(`${message}: ${remedyFor(message, session!)}`, { cause });
}

function remedyFor(message: string, { role, schema }: Session): string {
  const [, foreign, invisible] =
    /must be owner of (?:table|relation) (\S+)|relation "?([^" ]+)"? already exists/.exec(
      message,
    ) ?? [];
  const table = foreign ?? invisible;
  if (table) {
    return `the role ${role} cannot change it. As its owner, run ALTER TABLE ${schema}.${table} OWNER TO ${role};`;
  }
  if (/permission denied for schema/.test(message)) {
    return `the role ${role} cannot create tables there. As its owner, run GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role};`;
  }
  return (
    `the role ${role} lacks a privilege. As the owner of the tables, run ` +
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}; ` +
    `GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};`
  );
}
