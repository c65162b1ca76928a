import { ProblemError } from '../problems/problems.js';
import { MAX_ID } from '../resource/resource.js';
import { fromRequest } from './from-request.js';

/**
 * Gives a handler the id of its address. `kind` is what it identifies, for error messages.
 * @throws {ProblemError} `invalid_id` if it is no whole number, `not_found` if no id is that large.
 */
export const RecordId = (kind: string) =>
  fromRequest(
    ({ params, url }) => parseId((params as { id: string }).id, kind, url),
    [
      {
        in: 'path',
        name: 'id',
        required: true,
        schema: { type: 'integer', minimum: 0 },
        example: 1,
      },
    ],
  );

function parseId(text: string, kind: string, url: string): number {
  if (!/^\d+$/.test(text)) {
    const [, collection] = url.split('/');
    throw new ProblemError(
      'invalid_id',
      `"${text}" is not an id. Send a whole number, as in /${collection}/4.`,
    );
  }
  const id = Number(text);
  if (id > MAX_ID) throw new ProblemError('not_found', `There is no ${kind} ${text}.`);
  return id;
}
