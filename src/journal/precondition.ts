import { ProblemError } from '../problems/problems.js';
import type { WriteOptions } from './write-options.js';

/**
 * @throws {ProblemError} `precondition_failed` if `version` is none of the required versions. It has the
 * `current` record, if there is one.
 */
export function assertPrecondition(
  version: number,
  { ifMatch }: WriteOptions,
  current?: object,
): void {
  if (!ifMatch || ifMatch.includes(version)) return;
  throw new ProblemError(
    'precondition_failed',
    `The current version is ${version}. Read it again, and repeat the write if it is still right.`,
    { current: current && { ...current, version } },
  );
}
