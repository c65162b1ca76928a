import { ProblemError } from '../problems/problems.js';
import { MAX_CHOSEN_ID } from '../resource/resource.js';

/** The problem of a body with another id. */
export function changedId(reason: string): ProblemError {
  const detail = `${reason}; the id of a marathon cannot be changed`;
  return new ProblemError('invalid_body', `id: ${detail}`, {
    errors: [{ pointer: '#/id', detail }],
  });
}

/** @throws {ProblemError} `invalid_id` if no client may choose this id. */
export function assertChoosable(id: number): void {
  if (id >= 1 && id <= MAX_CHOSEN_ID) return;
  throw new ProblemError(
    'invalid_id',
    `The id of a new marathon is a whole number from 1 to ${MAX_CHOSEN_ID}.`,
  );
}
