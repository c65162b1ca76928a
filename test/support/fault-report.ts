import { appendFile } from 'node:fs/promises';
import { expect } from '@jest/globals';

/** What clients observed during a fault. */
export interface Outcome {
  requestCount: number;
  /** Requests without the expected answer. */
  failed: number;
  /** Acknowledged writes that are not stored. */
  lost: number;
  /** Writes that are stored more than once. */
  doubled: number;
  slowestMs: number;
  /** From the recovery of the database to the first expected answer. */
  recoveredMs?: number;
}

/** Appends a line to the file FAULTS_REPORT, from which `npm run faults` makes its table. */
export async function reportFault(
  outcome: Outcome,
  limits: Partial<Pick<Outcome, 'slowestMs' | 'recoveredMs'>> = {},
): Promise<void> {
  const file = process.env.FAULTS_REPORT;
  const { currentTestName: fault } = expect.getState();
  if (file) await appendFile(file, `${JSON.stringify({ fault, outcome, limits })}\n`);
}
