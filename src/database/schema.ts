import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Environment } from '../environment.js';
import { AdditiveSchemaBuilder } from './additive-schema-builder.js';
import { explainMissingPrivilege } from './missing-privilege.js';
import { prepareRows } from './preparations.js';
import { noteReadOnly } from './retry.js';

/** Any number known to nobody else: the instances that start at once queue behind it. */
const SCHEMA_LOCK = 4_219_500_042;

const HARMLESS = [
  /^CREATE (TABLE|SEQUENCE|TYPE|EXTENSION|(UNIQUE )?INDEX) /i,
  /^ALTER TABLE \S+ ADD /i,
  /^ALTER TABLE \S+ ALTER COLUMN "[^"]+" (SET DEFAULT|DROP DEFAULT|DROP NOT NULL)/i,
  /^COMMENT ON /i,
];

const log = new Logger('Schema');

/** The schema is not what the service needs, and bringing it there is not the service's to decide. */
export class SchemaRefused extends Error {}

/** The database cannot hold what the registry keeps. */
export class UnsuitableDatabaseError extends Error {}

/**
 * Brings the database's tables to what the entities say, or makes sure that they are: see
 * `DB_SCHEMA` in the README. Instances that start at once take turns.
 * @throws {SchemaRefused} with the statements in question and the ways out; nothing was changed.
 * @throws {MissingPrivilegeError} with the SQL that grants the right.
 * @throws {UnsuitableDatabaseError} if the database is not in UTF-8.
 */
export async function prepareSchema(
  dataSource: DataSource,
  mode: Environment['schema'],
): Promise<void> {
  const server = await readServer(dataSource);
  refuseOtherEncodings(server);
  if (mode === 'off') return;
  if (server.isReadOnly) return checkReadOnly(dataSource);
  if (mode === 'check') return check(await findMissingStatements(dataSource));
  try {
    await inTurn(dataSource, async (runner) => {
      if (mode === 'migrate') await migrate(dataSource);
      else await synchronize(runner, await findMissingStatements(dataSource));
      await prepareRows(runner);
    });
  } catch (error) {
    throw await explainMissingPrivilege(dataSource, error);
  }
}

/** What the service has to know about a server before it looks at its tables. */
interface Server {
  database: string;
  encoding: string;
  isReadOnly: boolean;
}

async function readServer(dataSource: DataSource): Promise<Server> {
  const [server]: Server[] = await dataSource.query(`
    SELECT current_database() AS database, current_setting('server_encoding') AS encoding,
           current_setting('transaction_read_only') = 'on' AS "isReadOnly"`);
  return server!;
}

function refuseOtherEncodings({ database, encoding }: Server): void {
  if (encoding === 'UTF8') return;
  throw new UnsuitableDatabaseError(
    `The database "${database}" is in ${encoding}, and names need UTF8: run CREATE DATABASE marathons ` +
      `ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8' TEMPLATE template0; and name it in DATABASE_URL.`,
  );
}

/** Reading works if the tables are there. */
async function checkReadOnly(dataSource: DataSource): Promise<void> {
  check(await findMissingStatements(dataSource));
  noteReadOnly();
  log.warn('The database is read-only: reading works, and writes get 503');
}

async function inTurn(dataSource: DataSource, work: (runner: QueryRunner) => Promise<void>) {
  await dataSource.transaction(async ({ queryRunner }) => {
    await queryRunner!.query('SET LOCAL lock_timeout = 0');
    await queryRunner!.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await work(queryRunner!);
  });
}

async function findMissingStatements(dataSource: DataSource): Promise<string[]> {
  const builder = new AdditiveSchemaBuilder(dataSource);
  const { upQueries } = await builder.log();
  const { unknown, tooNarrow } = builder;
  if (unknown.length) log.log(`Not known here, and left alone: ${unknown.join(', ')}`);
  return [...upQueries.map(({ query }) => query), ...tooNarrow];
}

async function synchronize(runner: QueryRunner, statements: string[]): Promise<void> {
  const destructive = statements.filter((sql) => !HARMLESS.some((form) => form.test(sql)));
  if (destructive.length) throw refuseDestructive(destructive);
  for (const statement of statements) await runner.query(statement);
  if (statements.length) log.log(`Schema brought up to date: ${statements.length} statements`);
}

async function migrate(dataSource: DataSource): Promise<void> {
  const done = await dataSource.runMigrations({ transaction: 'all' });
  for (const { name } of done) log.log(`Migration run: ${name}`);
}

function check(missing: string[]): void {
  if (!missing.length) return;
  throw new SchemaRefused(
    `The database's schema differs from what this version needs. It lacks:\n${asList(missing)}\n` +
      'Bring it there with "npm run marathon -- schema sync", with DB_SCHEMA=sync or DB_SCHEMA=migrate.',
  );
}

function refuseDestructive(destructive: string[]): SchemaRefused {
  return new SchemaRefused(
    `The schema needs more than additions, which are yours to make; nothing was changed:\n` +
      `${asList(destructive)}\n` +
      'Take a backup, run these statements, and start again; or start with DB_SCHEMA=off to go on without.',
  );
}

function asList(statements: string[]): string {
  return statements.map((sql) => `  ${sql};`).join('\n');
}
