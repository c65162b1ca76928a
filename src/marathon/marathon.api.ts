import {
  COUNT,
  headerParameter,
  jsonContent,
  listOf,
  namedSchema,
  objectOf,
  TEXT_OR_NULL,
  TIME,
} from '../http/api-operation.js';
import type { ApiContent, ApiOperation, ApiResponse } from '../http/api-types.js';
import { schemaOf, type Schema } from '../http/dto-metadata.js';
import { listContent, listResponses } from '../lists/list-api.js';
import { CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import { MARATHONS, RESOURCE } from './marathon.lists.js';

const TAG = 'Marathons';
const HISTORY_TAG = 'History';

const details = Object.fromEntries(RESOURCE.columns.map(({ name, example }) => [name, example]));
const EXAMPLE: Record<string, unknown> = { id: 1, ...details };

/** A column of the table may be null although the service requires it. */
const columns = Object.fromEntries(
  Object.entries(schemaOf(CreateMarathonDto).properties).map(([name, { type, ...rules }]) => [
    name,
    { ...rules, minLength: undefined, type: [...new Set([type, 'null'].flat())] },
  ]),
);
const MARATHON_COLUMNS = { ...columns, id: { type: 'integer', minimum: 0, examples: [1] } };
const MARATHON = namedSchema('Marathon', {
  ...objectOf(MARATHON_COLUMNS),
  additionalProperties: false,
});
const CREATED = namedSchema(
  'CreatedMarathon',
  objectOf({ id: { type: 'integer', examples: [4] } }),
);
const IMPORTED = namedSchema(
  'ImportCounts',
  objectOf({ inserted: COUNT, updated: COUNT, skipped: COUNT }),
);
const CHANGE = namedSchema(
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
const CHANGE_EXAMPLE = {
  seq: 1,
  operation: 'create',
  version: 1,
  at: '2026-01-01T00:00:00.000Z',
  by: null,
  marathon: EXAMPLE,
};
const NUMBER_OR_NULL: Schema = { type: ['integer', 'null'] };
const MARATHON_OR_NULL: Schema = { anyOf: [MARATHON, { type: 'null' }] };
const STATISTICS = namedSchema(
  'Statistics',
  objectOf({
    count: COUNT,
    by_decade: listOf(objectOf({ decade: NUMBER_OR_NULL, count: COUNT })),
    cities: COUNT,
    by_city: listOf(objectOf({ city: TEXT_OR_NULL, count: COUNT })),
    oldest: MARATHON_OR_NULL,
    newest: MARATHON_OR_NULL,
  }),
);
const CREATE_BODY = namedSchema('CreateMarathon', schemaOf(CreateMarathonDto));
const UPDATE_BODY = namedSchema('UpdateMarathon', schemaOf(UpdateMarathonDto));
const UPDATE_EXAMPLE = Object.fromEntries(Object.entries(details).slice(-1));

const LIST_CONTENT = listContent(MARATHON, RESOURCE.listMember, MARATHONS.formats, EXAMPLE);
const LIST_RESPONSES = listResponses(MARATHON, RESOURCE.listMember, MARATHONS.formats, EXAMPLE);
const CSV = `${Object.keys(details).join(',')}\n${Object.values(details).join(',')}\n`;

const ROWS: Record<string, ApiContent> = {
  'application/json': {
    schema: { anyOf: [CREATE_BODY, listOf(CREATE_BODY)] },
    example: details,
  },
  'text/csv': { schema: { type: 'string' }, example: CSV },
  'application/x-ndjson': { schema: { type: 'string' }, example: `${JSON.stringify(details)}\n` },
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
      required: ['file'],
    },
  },
};
const CHANGES: Record<string, ApiContent> = {
  'application/merge-patch+json': { schema: UPDATE_BODY, example: UPDATE_EXAMPLE },
  'application/json': { schema: UPDATE_BODY, example: UPDATE_EXAMPLE },
};

const IF_NONE_MATCH = headerParameter(
  'If-None-Match',
  'The answer is 304 if the marathon still has this `ETag`.',
  '"0"',
);

const ONE: ApiResponse = {
  description: 'The marathon.',
  headers: ['ETag'],
  content: jsonContent(MARATHON, EXAMPLE),
};

export const FIND_ALL: ApiOperation = {
  id: 'listMarathons',
  tag: TAG,
  summary: 'List marathons',
  description:
    'All marathons, by id, unless parameters ask for less. The grammar of filters is that of PostgREST.',
  responses: LIST_RESPONSES,
  problems: ['not_acceptable', 'range_not_satisfiable', 'too_many_long_lists'],
};

export const FIND_ANNIVERSARIES: ApiOperation = {
  id: 'listAnniversaries',
  tag: TAG,
  summary: 'List the marathons whose age in a year is a multiple of ten',
  responses: listResponses(
    namedSchema('Anniversary', objectOf({ ...MARATHON_COLUMNS, years: COUNT })),
    RESOURCE.listMember,
    MARATHONS.formats,
    { ...EXAMPLE, years: 130 },
  ),
  problems: ['not_acceptable', 'range_not_satisfiable', 'too_many_long_lists'],
};

export const STATISTICS_OPERATION: ApiOperation = {
  id: 'getStatistics',
  tag: TAG,
  summary: 'Count marathons by decade and by city',
  responses: {
    200: {
      description: 'The statistics.',
      content: jsonContent(STATISTICS, {
        count: 1,
        by_decade: [{ decade: 1890, count: 1 }],
        cities: 1,
        by_city: [{ city: EXAMPLE.city, count: 1 }],
        oldest: EXAMPLE,
        newest: EXAMPLE,
      }),
    },
  },
};

export const CREATE: ApiOperation = {
  id: 'createMarathons',
  tag: TAG,
  summary: 'Create a marathon, or import many',
  description:
    'An object creates a marathon. An array, CSV, NDJSON or a file are imported as a whole or not at all.',
  body: ROWS,
  responses: {
    201: {
      description: 'The id of the marathon, the counts of an import, or the marathons.',
      headers: ['Location', 'ETag', 'Preference-Applied'],
      content: {
        ...LIST_CONTENT,
        'application/json': {
          schema: {
            anyOf: [CREATED, IMPORTED, LIST_CONTENT['application/json']!.schema, listOf(MARATHON)],
          },
          example: { id: 4 },
        },
      },
    },
  },
  problems: [
    'invalid_upload',
    'invalid_rows',
    'aborted_upload',
    'already_exists',
    'not_acceptable',
  ],
};

const summary = (name: string): ApiResponse => ({
  description: 'The counts, or the marathons.',
  headers: ['Preference-Applied'],
  content: {
    ...LIST_CONTENT,
    'application/json': {
      schema: {
        anyOf: [
          { type: 'object', properties: { [name]: COUNT, skipped: COUNT }, required: [name] },
          LIST_CONTENT['application/json']!.schema,
          listOf(MARATHON),
        ],
      },
      example: { [name]: 1 },
    },
  },
});
const NO_CONTENT: ApiResponse = { description: 'Done.', headers: ['Preference-Applied'] };
const BULK_PROBLEMS: ApiOperation['problems'] = [
  'missing_filter',
  'max_affected_exceeded',
  'precondition_failed',
  'not_acceptable',
];

export const UPDATE_MANY: ApiOperation = {
  id: 'updateMarathons',
  tag: TAG,
  summary: 'Update all marathons that match a filter',
  description: 'A writer must send `Prefer: max-affected` unless the filter is `id=eq.…`.',
  body: CHANGES,
  responses: { 200: summary('updated'), 204: NO_CONTENT },
  problems: BULK_PROBLEMS,
};

export const REMOVE_MANY: ApiOperation = {
  ...UPDATE_MANY,
  id: 'deleteMarathons',
  summary: 'Delete all marathons that match a filter',
  body: undefined,
  responses: { 200: summary('deleted'), 204: NO_CONTENT },
};

export const FIND_ONE: ApiOperation = {
  id: 'getMarathon',
  tag: TAG,
  summary: 'Read a marathon',
  responses: { 200: ONE, 304: { description: 'The marathon is unchanged.', headers: ['ETag'] } },
  headers: [IF_NONE_MATCH],
  problems: ['invalid_id', 'not_found'],
};

export const REPLACE: ApiOperation = {
  id: 'replaceMarathon',
  tag: TAG,
  summary: 'Replace a marathon',
  description: 'Absent members become null. With `If-None-Match: *` it creates the marathon.',
  body: jsonContent(CREATE_BODY, details),
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

export const HISTORY: ApiOperation = {
  id: 'getHistory',
  tag: HISTORY_TAG,
  summary: 'List the versions of a marathon, newest first',
  responses: {
    200: {
      description: 'The versions.',
      headers: ['Link'],
      content: jsonContent(objectOf({ history: listOf(CHANGE) }), { history: [CHANGE_EXAMPLE] }),
    },
  },
  problems: ['invalid_id', 'not_found'],
};

export const RESTORE: ApiOperation = {
  id: 'restoreMarathon',
  tag: HISTORY_TAG,
  summary: 'Restore a deleted marathon, or an earlier version',
  responses: { 200: ONE },
  problems: ['invalid_id', 'not_found', 'not_deleted', 'precondition_failed'],
};

export const CHANGES_OPERATION: ApiOperation = {
  id: 'listChanges',
  tag: HISTORY_TAG,
  summary: 'List all changes in the order of their commits, or follow them',
  description: 'With `Accept: text/event-stream`, new changes follow as server-sent events.',
  headers: [
    headerParameter(
      'Last-Event-ID',
      'An event stream continues after the change with this number.',
    ),
  ],
  responses: {
    200: {
      description: 'The changes after `since`.',
      headers: ['Link'],
      content: {
        ...jsonContent(objectOf({ changes: listOf(CHANGE) }), { changes: [CHANGE_EXAMPLE] }),
        'text/event-stream': { schema: { type: 'string' } },
      },
    },
  },
  problems: ['future_change'],
};
