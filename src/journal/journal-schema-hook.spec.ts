import { describe, expect, it } from '@jest/globals';
import type { QueryRunner } from 'typeorm';
import { UnsafeSchemaChangeError } from '../database/schema-errors.js';
import { journalSchemaHook } from './journal-schema-hook.js';
import type { JournaledTable } from './journaled-table.js';
import { Journaled } from './journaled.js';

@Journaled()
class Marathon {
  id!: number;
  version!: number;
}

@Journaled()
class Relay {
  id!: number;
  version!: number;
}

describe('the schema hook of the journal', () => {
  it('rejects a second journaled entity, and names both', async () => {
    const entityMetadatas = [Marathon, Relay].map((target) => ({ target, name: target.name }));
    const runner: unknown = { connection: { entityMetadatas } };
    const prepare = journalSchemaHook({} as JournaledTable, 'none');
    const preparing = prepare(runner as QueryRunner);
    await expect(preparing).rejects.toThrow(UnsafeSchemaChangeError);
    await expect(preparing).rejects.toThrow('Marathon, Relay');
  });
});
