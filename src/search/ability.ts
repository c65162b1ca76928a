import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import { prepareOnOpening } from '../database/preparations.js';

/** Makes text small and takes its accents: a name of ours, because an index wants it immutable. */
export const FOLD = 'registry_search_text';

/** What the server has for searching: undefined where it lacks `pg_trgm` or `unaccent`. */
export interface Ability {
  trigramSchema?: string;
}

const log = new Logger('Search');

const EXTENSION_SCHEMAS = `
  SELECT extname AS name, quote_ident(nspname) AS schema
  FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
  WHERE extname IN ('pg_trgm', 'unaccent')`;

type Extensions = { name: string; schema: string }[];

/** Where the schema is brought up to date, what searching needs is too, if the server has it. */
prepareOnOpening(async ({ manager }) => {
  await manager.query('SAVEPOINT before_search');
  try {
    await install(manager);
    await manager.query('RELEASE SAVEPOINT before_search');
  } catch (error) {
    await manager.query('ROLLBACK TO SAVEPOINT before_search');
    log.warn(`The server does not give pg_trgm and unaccent: ${String(error)}`);
  }
});

async function install(database: EntityManager): Promise<void> {
  const known: [string | null][] = await database.query(`SELECT to_regproc('${FOLD}') AS name`);
  if ((known[0] as unknown as { name: string | null }).name) return;
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
  await database.query('CREATE EXTENSION IF NOT EXISTS unaccent');
  const extensions: Extensions = await database.query(EXTENSION_SCHEMAS);
  const { schema } = extensions.find(({ name }) => name === 'unaccent')!;
  await database.query(`
    CREATE FUNCTION ${FOLD}(given text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT lower(${schema}.unaccent('${schema}.unaccent', given)) $$`);
}

/** Finds out what there is, and says so in the log. */
export async function findAbility(dataSource: DataSource): Promise<Ability> {
  const [known]: { name: string | null }[] = await dataSource.query(
    `SELECT to_regproc('${FOLD}') AS name`,
  );
  const extensions: Extensions = await dataSource.query(EXTENSION_SCHEMAS);
  const trigrams = extensions.find(({ name }) => name === 'pg_trgm');
  if (known!.name && trigrams) return { trigramSchema: trigrams.schema };
  log.warn('Searching minds accents and typos, and has no index: pg_trgm or unaccent is missing');
  return {};
}
