import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { AdditiveSchemaBuilder } from './additive-schema-builder.js';
import { explainMissingPrivilege } from './missing-privilege.js';
import { UnsafeSchemaChangeError, UnsuitableDatabaseError } from './schema-errors.js';
import type { SchemaHooks } from './schema-hooks.js';

/** Any number that no other program uses. Instances that start concurrently queue for this lock. */
const SCHEMA_LOCK = 4_219_500_042;

const ADDITIVE_STATEMENTS = [
  /^CREATE (TABLE|SEQUENCE|TYPE|EXTENSION|(UNIQUE )?INDEX) /i,
  /^ALTER TABLE \S+ ADD /i,
  /^ALTER TABLE \S+ ALTER COLUMN "[^"]+" (SET DEFAULT|DROP DEFAULT|DROP NOT NULL)/i,
  /^COMMENT ON /i,
];

const log = new Logger('Schema');

/** What the service needs to know about a server. */
interface Server {
  database: string;
  encoding: string;
  isReadOnly: boolean;
}

/**
 * Brings the tables of the database up to date with the entities, or checks that they are: see
 * `DB_SCHEMA` in `docs/configuration.md`. Instances that start concurrently take turns.
 * @throws {UnsafeSchemaChangeError} with the missing statements; nothing was changed.
 * @throws {MissingPrivilegeError} with the SQL that grants the privilege.
 * @throws {UnsuitableDatabaseError} if the database is not in UTF-8.
 */
export async function prepareSchema(
  dataSource: DataSource,
  mode: Settings['schema'],
  hooks: SchemaHooks,
): Promise<{ isReadOnly: boolean }> {
  const server = await fetchServer(dataSource);
  assertUtf8(server);
  if (mode === 'off') return { isReadOnly: false };
  if (server.isReadOnly || mode === 'check') assertComplete(await findMissing(dataSource));
  else await update(dataSource, mode, hooks);
  if (server.isReadOnly) log.warn('The database is read-only: reads work, and writes get 503');
  return server;
}

async function fetchServer(dataSource: DataSource): Promise<Server> {
  const [server]: Server[] = await dataSource.query(`
    SELECT current_database() AS database, current_setting('server_encoding') AS encoding,
           current_setting('transaction_read_only') = 'on' AS "isReadOnly"`);
  return server!;
}

function assertUtf8({ database, encoding }: Server): void {
  if (encoding === 'UTF8') return;
  throw new UnsuitableDatabaseError(
    `The database "${database}" is in ${encoding}, and names need UTF8. Run CREATE DATABASE marathons ` +
      `ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' TEMPLATE template0; and name it in DATABASE_URL.`,
  );
}

async function update(
  dataSource: DataSource,
  mode: 'sync' | 'migrate',
  hooks: SchemaHooks,
): Promise<void> {
  try {
    await dataSource.transaction(async ({ queryRunner: runner }) => {
      await runner!.query('SET LOCAL lock_timeout = 0');
      await runner!.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      if (mode === 'migrate') await migrate(dataSource);
      else await synchronize(runner!, await findMissing(dataSource));
      await hooks.run(runner!);
    });
  } catch (error) {
    throw await explainMissingPrivilege(dataSource, error);
  }
}

/** The statements that the tables need. */
async function findMissing(dataSource: DataSource): Promise<string[]> {
  const builder = new AdditiveSchemaBuilder(dataSource);
  const { upQueries } = await builder.log();
  const { unknownColumns, wideningStatements } = builder;
  if (unknownColumns.length) log.log(`Ignored columns: ${unknownColumns.join(', ')}`);
  return [...upQueries.map(({ query }) => query), ...wideningStatements];
}

async function synchronize(runner: QueryRunner, statements: string[]): Promise<void> {
  const unsafe = statements.filter((sql) => !ADDITIVE_STATEMENTS.some((form) => form.test(sql)));
  if (unsafe.length) throw notAdditive(unsafe);
  for (const statement of statements) await runner.query(statement);
  if (statements.length) log.log(`Schema updated with ${statements.length} statements`);
}

async function migrate(dataSource: DataSource): Promise<void> {
  const migrations = await dataSource.runMigrations({ transaction: 'all' });
  for (const { name } of migrations) log.log(`Migration executed: ${name}`);
}

function assertComplete(missing: string[]): void {
  if (!missing.length) return;
  throw new UnsafeSchemaChangeError(
    `The database's schema differs from what this version needs. It lacks:\n${toList(missing)}\n` +
      'Update it with "npm run marathon -- schema sync", or start with DB_SCHEMA=sync or DB_SCHEMA=migrate.',
  );
}

function notAdditive(statements: string[]): UnsafeSchemaChangeError {
  return new UnsafeSchemaChangeError(
    `The schema needs statements that do more than add, which you have to run yourself. Nothing was changed:\n` +
      `${toList(statements)}\n` +
      'Take a backup, run these statements, and start again; or start without them, with DB_SCHEMA=off.',
  );
}

function toList(statements: string[]): string {
  return statements.map((sql) => `  ${sql};`).join('\n');
}
