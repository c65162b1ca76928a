import { fromRequest } from '../http/from-request.js';
import { ProblemError } from '../problems/problems.js';
import { MAX_CHOSEN_ID, MAX_ID } from '../resource/resource.js';

/**
 * Gives a handler the id of its address.
 * @throws {ProblemError} `invalid_id` if it is no whole number, `not_found` if no id is that large.
 */
export const MarathonId = () =>
  fromRequest(
    ({ params }) => parseId((params as { id: string }).id),
    [{ in: 'path', name: 'id', required: true, schema: { type: 'integer', minimum: 0 } }],
  );

function parseId(text: string): number {
  if (!/^\d+$/.test(text)) {
    throw new ProblemError(
      'invalid_id',
      `"${text}" is not an id. Send a whole number, as in /marathon/4.`,
    );
  }
  const id = Number(text);
  if (id > MAX_ID) throw new ProblemError('not_found', `There is no marathon ${text}.`);
  return id;
}

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
