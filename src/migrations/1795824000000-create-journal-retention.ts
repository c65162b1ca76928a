import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates the table that says how far the journal is pruned. */
export class CreateJournalRetention1795824000000 implements MigrationInterface {
  name = 'CreateJournalRetention1795824000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS journal_retention (
        id smallint NOT NULL,
        history_from timestamp with time zone,
        history_seq bigint NOT NULL DEFAULT 0,
        pruned_seq bigint NOT NULL DEFAULT 0,
        keys_seq bigint NOT NULL DEFAULT 0,
        CONSTRAINT "PK_7dccb9a7da2b33dbbfc5b3f333e" PRIMARY KEY (id)
      )`);
    await runner.query('INSERT INTO journal_retention (id) VALUES (1) ON CONFLICT DO NOTHING');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE journal_retention');
  }
}
