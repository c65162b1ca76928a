import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates the journal. The service adds entries for existing marathons each time it starts. */
export class CreateJournal1795392000000 implements MigrationInterface {
  name = 'CreateJournal1795392000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE marathon ALTER COLUMN version SET DEFAULT 0');
    await runner.query(`
      CREATE TABLE IF NOT EXISTS journal_head (
        id smallint NOT NULL,
        seq bigint NOT NULL,
        at timestamp(3) with time zone NOT NULL,
        CONSTRAINT "PK_230c50cbc5d11fd3665abdaa4e6" PRIMARY KEY (id)
      )`);
    await runner.query(
      'INSERT INTO journal_head (id, seq, at) VALUES (1, 0, now()) ON CONFLICT DO NOTHING',
    );
    await runner.query(`
      CREATE TABLE IF NOT EXISTS journal_request (
        request_id text NOT NULL,
        first_seq bigint,
        last_seq bigint,
        skipped integer NOT NULL DEFAULT 0,
        at timestamp(3) with time zone NOT NULL,
        by text,
        fingerprint text,
        CONSTRAINT "PK_8e60535368f6025b7f1cd283caf" PRIMARY KEY (request_id)
      )`);
    await runner.query(
      'CREATE UNIQUE INDEX IF NOT EXISTS "IDX_3f6760229c9ccdc72503501570" ON journal_request (first_seq)',
    );
    await runner.query(`
      CREATE TABLE IF NOT EXISTS journal (
        seq bigint NOT NULL,
        record_id integer NOT NULL,
        version integer NOT NULL,
        operation text NOT NULL,
        record json NOT NULL,
        CONSTRAINT "UQ_615cfa2c8f14809593bff5e8b24" UNIQUE (record_id, version),
        CONSTRAINT "PK_4768b226599e1d06b1c71f797de" PRIMARY KEY (seq)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE journal');
    await runner.query('DROP TABLE journal_request');
    await runner.query('DROP TABLE journal_head');
    await runner.query('ALTER TABLE marathon ALTER COLUMN version SET DEFAULT 1');
  }
}
