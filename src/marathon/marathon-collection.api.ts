import { COUNT, listOf, namedSchema, objectOf } from '../http/api-operation.js';
import type { ApiContent, ApiOperation, ApiResponse } from '../http/api-types.js';
import { listContent, listResponses, toCsv } from '../lists/list-api.js';
import { MARATHONS, RESOURCE } from './marathon.lists.js';
import {
  CHANGES,
  CREATE_BODY,
  CREATED,
  DETAILS,
  EXAMPLE,
  IMPORTED,
  MARATHON,
  MARATHON_COLUMNS,
} from './marathon.schemas.js';

const TAG = 'Marathons';

const LIST_CONTENT = listContent(MARATHON, RESOURCE.listMember, MARATHONS.formats, EXAMPLE);
const ANNIVERSARY = namedSchema('Anniversary', objectOf({ ...MARATHON_COLUMNS, years: COUNT }));
const ANNIVERSARY_EXAMPLE = { ...EXAMPLE, years: 130 };
const LIST_PROBLEMS: ApiOperation['problems'] = [
  'not_acceptable',
  'range_not_satisfiable',
  'too_many_long_lists',
];

const ROWS: Record<string, ApiContent> = {
  'application/json': {
    schema: { anyOf: [CREATE_BODY, listOf(CREATE_BODY)] },
    example: DETAILS,
  },
  'text/csv': { schema: { type: 'string' }, example: toCsv(DETAILS) },
  'application/x-ndjson': { schema: { type: 'string' }, example: `${JSON.stringify(DETAILS)}\n` },
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
      required: ['file'],
    },
  },
};

export const FIND_ALL: ApiOperation = {
  id: 'listMarathons',
  tag: TAG,
  summary: 'List marathons',
  description:
    'All marathons, by id, unless parameters ask for less. The grammar of filters is that of PostgREST.',
  responses: listResponses(LIST_CONTENT),
  problems: [...LIST_PROBLEMS, 'history_pruned'],
};

export const FIND_ANNIVERSARIES: ApiOperation = {
  id: 'listAnniversaries',
  tag: TAG,
  summary: 'List the marathons whose age in a year is a multiple of ten',
  responses: listResponses(
    listContent(ANNIVERSARY, RESOURCE.listMember, MARATHONS.formats, ANNIVERSARY_EXAMPLE),
  ),
  problems: LIST_PROBLEMS,
};

const DELETED = namedSchema('DeletedMarathon', objectOf({ ...MARATHON_COLUMNS, seq: COUNT }));

export const FIND_DELETED: ApiOperation = {
  id: 'listDeletedMarathons',
  tag: 'History',
  summary: 'List the deleted marathons as they were, the last one first',
  responses: listResponses(
    listContent(DELETED, RESOURCE.listMember, MARATHONS.formats, { ...EXAMPLE, seq: 2 }),
  ),
  problems: LIST_PROBLEMS,
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
      headers: ['Location', 'ETag', 'Change-Range', 'Preference-Applied'],
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
    'too_many_imports',
    'aborted_upload',
    'already_exists',
    'not_acceptable',
  ],
};

const counts = (names: string[]) => Object.fromEntries(names.map((name) => [name, COUNT]));
const summary = (...names: string[]): ApiResponse => ({
  description: 'The counts, or the marathons.',
  headers: ['Change-Range', 'Preference-Applied'],
  content: {
    ...LIST_CONTENT,
    'application/json': {
      schema: {
        anyOf: [
          { type: 'object', properties: { ...counts(names), skipped: COUNT }, required: names },
          LIST_CONTENT['application/json']!.schema,
          listOf(MARATHON),
        ],
      },
      example: Object.fromEntries(names.map((name) => [name, 1])),
    },
  },
});
const NO_CONTENT: ApiResponse = {
  description: 'Done.',
  headers: ['Change-Range', 'Preference-Applied'],
};
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

export const UNDO: ApiOperation = {
  id: 'undoChanges',
  tag: 'History',
  summary: 'Undo a write: restore what the marathons were before its changes',
  description:
    'Marathons that the write created are deleted. Nothing is undone if one of its marathons was changed later.',
  responses: { 200: summary('restored', 'deleted'), 204: NO_CONTENT },
  problems: [
    'changed_since',
    'future_change',
    'changes_lost',
    'history_pruned',
    'max_affected_exceeded',
    'precondition_failed',
    'not_acceptable',
  ],
};
