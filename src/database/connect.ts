import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { isStatementPooling } from '../pool/database-errors.js';
import { withinDeadline, withLongStatements } from '../pool/deadline.js';
import { noteDistributedTables } from './distribution.js';
import { UnsuitableDatabaseError } from './schema-errors.js';
import type { SchemaHooks } from './schema-hooks.js';
import { prepareSchema } from './schema.js';

/** How long one attempt to connect may take. */
export const ATTEMPT_TIMEOUT_MS = 1000;

/**
 * Connects to a database, and brings its schema up to date over `direct`, which may be the same. If it fails, both
 * are closed.
 * @throws {UnsuitableDatabaseError} and the other errors of `prepareSchema`.
 */
export async function connect(
  dataSource: DataSource,
  direct: DataSource,
  { schema, deadlineMs }: Settings,
  hooks: SchemaHooks,
): Promise<{ isReadOnly: boolean }> {
  try {
    await withinDeadline(ATTEMPT_TIMEOUT_MS, async () => initialize(dataSource, direct));
    const server = await withLongStatements(deadlineMs, async () =>
      prepareSchema(direct, schema, hooks),
    );
    await noteDistributedTables(dataSource);
    return server;
  } catch (error) {
    for (const each of [dataSource, direct]) await destroy(each);
    throw isStatementPooling(error) ? statementPooling(error) : error;
  }
}

export async function destroy(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) await dataSource.destroy();
}

async function initialize(dataSource: DataSource, direct: DataSource): Promise<void> {
  await dataSource.initialize();
  // a pooler in statement mode refuses it: now, and not when the first transaction is needed
  await dataSource.transaction(async () => undefined);
  if (direct !== dataSource) await direct.initialize();
}

function statementPooling(cause: unknown): UnsuitableDatabaseError {
  return new UnsuitableDatabaseError(
    'The pooler is in statement mode, which allows no transactions, and imports and undo need them. Set ' +
      'pool_mode = transaction in it, or name an address without the pooler in DATABASE_URL.',
    { cause },
  );
}
