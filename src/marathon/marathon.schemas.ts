import {
  COUNT,
  jsonContent,
  namedSchema,
  objectOf,
  TEXT_OR_NULL,
  TIME,
} from '../http/api-operation.js';
import type { ApiContent, ApiResponse } from '../http/api-types.js';
import { schemaOf } from '../http/dto-metadata.js';
import { CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import { RESOURCE } from './marathon.lists.js';

export const DETAILS = Object.fromEntries(
  RESOURCE.columns.map(({ name, example }) => [name, example]),
);
export const EXAMPLE: Record<string, unknown> = { id: 1, ...DETAILS };

/** A column of the table may be null although the service requires it. */
const columns = Object.fromEntries(
  Object.entries(schemaOf(CreateMarathonDto).properties).map(([name, { type, ...rules }]) => [
    name,
    { ...rules, minLength: undefined, type: [...new Set([type, 'null'].flat())] },
  ]),
);
export const MARATHON_COLUMNS = { ...columns, id: { type: 'integer', minimum: 0, examples: [1] } };
/** A marathon in an answer. */
export const MARATHON = namedSchema('Marathon', {
  ...objectOf(MARATHON_COLUMNS),
  additionalProperties: false,
});
export const CREATED = namedSchema(
  'CreatedMarathon',
  objectOf({ id: { type: 'integer', examples: [4] } }),
);
export const IMPORTED = namedSchema(
  'ImportCounts',
  objectOf({ inserted: COUNT, updated: COUNT, skipped: COUNT }),
);
export const CHANGE = namedSchema(
  'Change',
  objectOf({
    seq: { type: 'integer', description: 'The number of the change, without gaps.' },
    operation: { enum: ['create', 'update', 'delete', 'restore'] },
    version: { type: 'integer' },
    at: TIME,
    by: { ...TEXT_OR_NULL, description: 'The name of the API key that made the change.' },
    marathon: MARATHON,
  }),
);
export const CHANGE_EXAMPLE = {
  seq: 1,
  operation: 'create',
  version: 1,
  at: '2026-01-01T00:00:00.000Z',
  by: null,
  marathon: EXAMPLE,
};
export const CREATE_BODY = namedSchema('CreateMarathon', schemaOf(CreateMarathonDto));
const UPDATE_BODY = namedSchema('UpdateMarathon', schemaOf(UpdateMarathonDto));
const UPDATE_EXAMPLE = Object.fromEntries(Object.entries(DETAILS).slice(-1));

export const ONE: ApiResponse = {
  description: 'The marathon.',
  headers: ['ETag'],
  content: jsonContent(MARATHON, EXAMPLE),
};

/** The body of a change. */
export const CHANGES: Record<string, ApiContent> = {
  'application/merge-patch+json': { schema: UPDATE_BODY, example: UPDATE_EXAMPLE },
  'application/json': { schema: UPDATE_BODY, example: UPDATE_EXAMPLE },
};
