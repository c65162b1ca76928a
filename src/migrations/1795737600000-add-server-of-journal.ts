import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds what tells that another server went on: see `src/journal/epoch.ts`. */
export class AddServerOfJournal1795737600000 implements MigrationInterface {
  name = 'AddServerOfJournal1795737600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE journal_head ADD COLUMN IF NOT EXISTS system text');
    await runner.query('ALTER TABLE journal_head ADD COLUMN IF NOT EXISTS timeline integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE journal_head DROP COLUMN timeline');
    await runner.query('ALTER TABLE journal_head DROP COLUMN system');
  }
}
