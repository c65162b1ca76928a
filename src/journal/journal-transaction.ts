import type { DataSource, EntityManager } from 'typeorm';
import type { ChangeSignal } from './change-signal.js';
import type { WriteOptions } from './write-options.js';

/** Runs writes in transactions, and notifies the listeners of changes. */
export class JournalTransaction {
  constructor(
    private readonly dataSource: DataSource,
    private readonly signal: ChangeSignal,
  ) {}

  /** Runs a write in a transaction, which is rolled back if the write is a dry run. */
  async run<R>({ dryRun }: WriteOptions, work: (manager: EntityManager) => Promise<R>): Promise<R> {
    try {
      return await this.dataSource.transaction(async (manager) => {
        const result = await work(manager);
        if (dryRun) throw new DryRunCompleted(result);
        return result;
      });
    } catch (error) {
      if (error instanceof DryRunCompleted) return error.result as R;
      throw error;
    } finally {
      this.signal.notify();
    }
  }
}

/** Makes TypeORM roll back the transaction of a dry run. */
class DryRunCompleted extends Error {
  constructor(readonly result: unknown) {
    super('A dry run was completed.');
  }
}
