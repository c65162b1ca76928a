import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Takes over a table that the guide's app or `DB_SCHEMA=sync` made, and makes one where there is none. */
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
