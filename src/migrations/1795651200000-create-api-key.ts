import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Creates the table of API keys. */
export class CreateApiKey1795651200000 implements MigrationInterface {
  name = 'CreateApiKey1795651200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS api_key (
        id SERIAL NOT NULL,
        name text NOT NULL,
        role text NOT NULL,
        hash text NOT NULL,
        request_id text NOT NULL,
        created_by text,
        created_at timestamp(3) with time zone NOT NULL,
        expires_at timestamp(3) with time zone,
        revoked_at timestamp(3) with time zone,
        last_used_at timestamp(3) with time zone,
        revision integer NOT NULL DEFAULT 1,
        CONSTRAINT "PK_b1bd840641b8acbaad89c3d8d11" PRIMARY KEY (id),
        CONSTRAINT "UQ_45e0aa2a880b928326a05a28885" UNIQUE (hash),
        CONSTRAINT "UQ_4a9d639027a6e62439ee697dcc2" UNIQUE (request_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE api_key');
  }
}
