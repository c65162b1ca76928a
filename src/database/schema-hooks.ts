import { Injectable } from '@nestjs/common';
import type { QueryRunner } from 'typeorm';

/** Work of a module in the transaction that brings the schema up to date. */
export type SchemaHook = (runner: QueryRunner) => Promise<void>;

/** The schema hooks of all modules. */
@Injectable()
export class SchemaHooks {
  private readonly hooks = new Set<SchemaHook>();

  add(hook: SchemaHook): void {
    this.hooks.add(hook);
  }

  async run(runner: QueryRunner): Promise<void> {
    for (const hook of this.hooks) await hook(runner);
  }
}
