import { headerParameter, jsonContent, listOf, objectOf } from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import { CHANGE, CHANGE_EXAMPLE, ONE } from './marathon.schemas.js';

const TAG = 'History';

export const HISTORY: ApiOperation = {
  id: 'getHistory',
  tag: TAG,
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
  tag: TAG,
  summary: 'Restore a deleted marathon, or an earlier version',
  responses: { 200: ONE },
  problems: ['invalid_id', 'not_found', 'not_deleted', 'precondition_failed'],
};

export const CHANGES_OPERATION: ApiOperation = {
  id: 'listChanges',
  tag: TAG,
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
  problems: ['future_change', 'changes_lost'],
};
