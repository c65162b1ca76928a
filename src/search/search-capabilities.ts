import { Logger } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import type { SchemaHook } from '../database/schema-hooks.js';

/**
 * Converts text to lower case and removes accents. It is a function of our own because an index requires
 * an immutable one.
 */
export const NORMALIZE_FUNCTION = 'registry_search_text';

/** What the server supports. */
export interface SearchCapabilities {
  /** The schema of `pg_trgm`; undefined if the server lacks it, or `unaccent`. */
  trigramSchema?: string;
}

const log = new Logger('Search');

const EXTENSION_SCHEMAS = `
  SELECT extname AS name, quote_ident(nspname) AS schema
  FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
  WHERE extname IN ('pg_trgm', 'unaccent')`;

const FIND_FUNCTION = `SELECT to_regproc('${NORMALIZE_FUNCTION}') AS name`;

type Extensions = { name: string; schema: string }[];
type FoundFunction = { name: string | null }[];

/** Installs what the search uses, if the server has it, when the schema is brought up to date. */
export const searchSchemaHook: SchemaHook = async ({ manager }) => {
  await manager.query('SAVEPOINT before_search');
  try {
    await install(manager);
    await manager.query('RELEASE SAVEPOINT before_search');
  } catch (error) {
    await manager.query('ROLLBACK TO SAVEPOINT before_search');
    log.warn(`pg_trgm and unaccent cannot be installed: ${String(error)}`);
  }
};

async function install(manager: EntityManager): Promise<void> {
  const [existing]: FoundFunction = await manager.query(FIND_FUNCTION);
  if (existing!.name) return;
  await manager.query('CREATE EXTENSION IF NOT EXISTS pg_trgm');
  await manager.query('CREATE EXTENSION IF NOT EXISTS unaccent');
  const extensions: Extensions = await manager.query(EXTENSION_SCHEMAS);
  const { schema } = extensions.find(({ name }) => name === 'unaccent')!;
  await manager.query(`
    CREATE FUNCTION ${NORMALIZE_FUNCTION}(given text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT lower(${schema}.unaccent('${schema}.unaccent', given)) $$`);
}

/** Detects what the server supports. What is missing is logged. */
export async function detectCapabilities(dataSource: DataSource): Promise<SearchCapabilities> {
  const [existing]: FoundFunction = await dataSource.query(FIND_FUNCTION);
  const extensions: Extensions = await dataSource.query(EXTENSION_SCHEMAS);
  const trigrams = extensions.find(({ name }) => name === 'pg_trgm');
  if (existing!.name && trigrams) return { trigramSchema: trigrams.schema };
  log.warn(
    'The search has no index, and does not ignore accents and typos: pg_trgm or unaccent is missing',
  );
  return {};
}
