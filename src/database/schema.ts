import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import type { Environment } from '../environment.js';
import { prepareRows } from './preparations.js';

/** Any number known to nobody else: the instances that start at once queue behind it. */
const SCHEMA_LOCK = 4_219_500_042;

const HARMLESS = [
  /^CREATE (TABLE|SEQUENCE|TYPE|EXTENSION|(UNIQUE )?INDEX) /i,
  /^ALTER TABLE \S+ ADD /i,
  /^ALTER TABLE \S+ ALTER COLUMN "[^"]+" (SET DEFAULT|DROP DEFAULT|DROP NOT NULL)/i,
  /^COMMENT ON /i,
];

/** An index that the entities do not know was made by somebody on purpose. */
const LEFT_ALONE = /^DROP INDEX /i;

const log = new Logger('Schema');

/** The schema is not what the service needs, and bringing it there is not the service's to decide. */
export class SchemaRefused extends Error {}

/**
 * Brings the database's tables to what the entities say, or makes sure that they are: see
 * `DB_SCHEMA` in the README. Instances that start at once take turns.
 * @throws {SchemaRefused} with the statements in question and the ways out; nothing was changed.
 */
export async function prepareSchema(
  dataSource: DataSource,
  mode: Environment['schema'],
): Promise<void> {
  if (mode === 'off') return;
  if (mode === 'check') return check(await findMissingStatements(dataSource));
  await inTurn(dataSource, async (runner) => {
    if (mode === 'migrate') await migrate(dataSource);
    else await synchronize(runner, await findMissingStatements(dataSource));
    await prepareRows(runner);
  });
}

async function inTurn(dataSource: DataSource, work: (runner: QueryRunner) => Promise<void>) {
  await dataSource.transaction(async ({ queryRunner }) => {
    await queryRunner!.query('SET LOCAL lock_timeout = 0');
    await queryRunner!.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await work(queryRunner!);
  });
}

async function findMissingStatements(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query).filter((query) => !LEFT_ALONE.test(query));
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
    `Bringing the schema up to date would take more than additions; nothing was changed:\n` +
      `${asList(destructive)}\n` +
      'To keep what is there, start with DB_SCHEMA=migrate, which only adds, or with DB_SCHEMA=off. ' +
      'If you want the change, take a backup, run these statements yourself, and start again.',
  );
}

function asList(statements: string[]): string {
  return statements.map((sql) => `  ${sql};`).join('\n');
}
