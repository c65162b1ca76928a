import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates the table, or extends one that the guide's app or `DB_SCHEMA=sync` created. */
export class CreateMarathon1795305600000 implements MigrationInterface {
  name = 'CreateMarathon1795305600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS marathon (
        id SERIAL PRIMARY KEY,
        name character varying(100),
        city character varying(50),
        inception_year integer
      )`);
    await runner.query(
      'ALTER TABLE marathon ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE marathon DROP COLUMN version');
  }
}
