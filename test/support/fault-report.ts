import { appendFile } from 'node:fs/promises';
import { expect } from '@jest/globals';

/** What clients saw of a fault. */
export interface Outcome {
  requestCount: number;
  /** Not answered as they would have been without the fault. */
  failed: number;
  /** Acknowledged, and not there. */
  lost: number;
  /** There more than once. */
  doubled: number;
  slowestMs: number;
  /** From when the database was back to the first right answer. */
  recoveredMs?: number;
}

/** Adds a line to the file that FAULTS_REPORT names, from which `npm run faults` makes its table. */
export async function reportFault(
  outcome: Outcome,
  limits: Partial<Pick<Outcome, 'slowestMs' | 'recoveredMs'>> = {},
): Promise<void> {
  const file = process.env.FAULTS_REPORT;
  const { currentTestName: fault } = expect.getState();
  if (file) await appendFile(file, `${JSON.stringify({ fault, outcome, limits })}\n`);
}
