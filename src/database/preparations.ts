import type { QueryRunner } from 'typeorm';

/** What a room does to the rows of its tables, in the transaction that brings the schema up to date. */
export type Preparation = (runner: QueryRunner) => Promise<void>;

const preparations: Preparation[] = [];

export function prepareOnOpening(preparation: Preparation): void {
  preparations.push(preparation);
}

export async function prepareRows(runner: QueryRunner): Promise<void> {
  for (const prepare of preparations) await prepare(runner);
}
