import { headerParameter, jsonContent } from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import { CONSISTENCY_PARAMETER } from '../http/read-consistency.js';
import { CHANGES, CREATE_BODY, DETAILS, ONE } from './marathon.schemas.js';

const TAG = 'Marathons';

const IF_NONE_MATCH = headerParameter(
  'If-None-Match',
  'The answer is 304 if the marathon still has this `ETag`.',
  '"0"',
);

export const FIND_ONE: ApiOperation = {
  id: 'getMarathon',
  tag: TAG,
  summary: 'Read a marathon',
  responses: { 200: ONE, 304: { description: 'The marathon is unchanged.', headers: ['ETag'] } },
  headers: [IF_NONE_MATCH, CONSISTENCY_PARAMETER],
  problems: ['invalid_id', 'not_found', 'history_pruned'],
};

export const REPLACE: ApiOperation = {
  id: 'replaceMarathon',
  tag: TAG,
  summary: 'Replace a marathon',
  description: 'Absent members become null. With `If-None-Match: *` it creates the marathon.',
  body: jsonContent(CREATE_BODY, DETAILS),
  responses: {
    200: ONE,
    201: { ...ONE, description: 'The new marathon.', headers: ['ETag', 'Location'] },
  },
  problems: ['invalid_id', 'not_found', 'precondition_failed'],
};

export const UPDATE: ApiOperation = {
  id: 'updateMarathon',
  tag: TAG,
  summary: 'Update a marathon',
  description: 'Only the members that are sent change (RFC 7396).',
  body: CHANGES,
  responses: { 200: ONE },
  problems: ['invalid_id', 'not_found', 'precondition_failed'],
};

export const REMOVE: ApiOperation = {
  id: 'deleteMarathon',
  tag: TAG,
  summary: 'Delete a marathon',
  responses: { 204: { description: 'It is deleted. Its history remains.' } },
  problems: ['invalid_id', 'not_found', 'precondition_failed'],
};
