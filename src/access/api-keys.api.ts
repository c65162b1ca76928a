import {
  jsonContent,
  listOf,
  namedSchema,
  objectOf,
  TEXT_OR_NULL,
  TIME,
  TIME_OR_NULL,
} from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import { schemaOf } from '../http/dto-metadata.js';
import { ROLES } from '../http/principal.js';
import { CreateApiKeyDto } from './api-key.dto.js';

const TAG = 'API keys';

const MEMBERS = {
  id: { type: 'integer' },
  name: { type: 'string' },
  role: { enum: ROLES },
  created_by: TEXT_OR_NULL,
  created_at: TIME,
  expires_at: TIME_OR_NULL,
  revoked_at: TIME_OR_NULL,
  last_used_at: { ...TIME_OR_NULL, description: 'To the minute.' },
};
const API_KEY = namedSchema('ApiKey', objectOf(MEMBERS));
const NEW_API_KEY = namedSchema(
  'NewApiKey',
  objectOf({
    ...MEMBERS,
    key: { type: 'string', description: 'It is shown in this answer only.' },
  }),
);
const EXAMPLE = {
  id: 2,
  name: 'Boston Athletic Association',
  role: 'writer',
  created_by: 'Me',
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};

export const FIND_ALL: ApiOperation = {
  id: 'listApiKeys',
  tag: TAG,
  summary: 'List the API keys, without the keys themselves',
  responses: {
    200: {
      description: 'The keys, by id.',
      content: jsonContent(objectOf({ keys: listOf(API_KEY) }), { keys: [EXAMPLE] }),
    },
  },
  problems: ['access_is_open'],
};

export const CREATE: ApiOperation = {
  id: 'createApiKey',
  tag: TAG,
  summary: 'Create an API key',
  body: jsonContent(namedSchema('CreateApiKey', schemaOf(CreateApiKeyDto)), {
    name: 'Boston Athletic Association',
    role: 'writer',
  }),
  responses: {
    201: {
      description: 'The key.',
      headers: ['Location'],
      content: jsonContent(NEW_API_KEY, { ...EXAMPLE, key: `mr_${'0'.repeat(49)}` }),
    },
  },
  problems: ['access_is_open', 'already_exists'],
};

export const REVOKE: ApiOperation = {
  id: 'revokeApiKey',
  tag: TAG,
  summary: 'Revoke an API key',
  responses: { 204: { description: 'It is refused from now on.' } },
  problems: ['access_is_open', 'invalid_id', 'not_found'],
};
