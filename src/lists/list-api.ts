import type { ApiContent, ApiResponse } from '../http/api-types.js';
import { listOf, namedSchema } from '../http/api-operation.js';
import type { Schema } from '../http/dto-metadata.js';
import type { Formats } from './formats.js';

const SELECTED_ROW = namedSchema('SelectedRow', {
  type: 'object',
  description: 'The columns and aggregates that `select` names.',
  additionalProperties: true,
});

const HEADERS = ['ETag', 'Vary', 'Content-Range', 'Link', 'Preference-Applied', 'Content-Encoding'];

/** The answers of a list with this content. */
export function listResponses(content: Record<string, ApiContent>): Record<number, ApiResponse> {
  return {
    200: { description: 'The list.', headers: HEADERS, content },
    206: { description: 'A part of a list that was counted.', headers: HEADERS, content },
    304: { description: 'The list is unchanged.', headers: ['ETag', 'Vary'] },
  };
}

/** A list of records in all formats, by media type. */
export function listContent(
  record: Schema,
  listMember: string,
  formats: Formats,
  example: object,
): Record<string, ApiContent> {
  const row = { anyOf: [record, SELECTED_ROW] };
  const list = {
    type: 'object',
    properties: { [listMember]: listOf(row) },
    required: [listMember],
    additionalProperties: false,
  };
  const others: Record<string, ApiContent> = {
    csv: { schema: { type: 'string' }, example: toCsv(example) },
    ndjson: { schema: { type: 'string' }, example: `${JSON.stringify(example)}\n` },
    array: { schema: listOf(row), example: [example] },
    object: { schema: row, example },
    'stripped-array': { schema: listOf(row), example: [example] },
    'stripped-object': { schema: row, example },
  };
  const named = Object.entries(others).map(([name, described]): [string, ApiContent] => [
    formats[name as keyof Formats].mediaType,
    described,
  ]);
  return {
    [formats.json.mediaType]: { schema: list, example: { [listMember]: [example] } },
    ...Object.fromEntries(named),
  };
}

/** One record as CSV. */
export function toCsv(example: object): string {
  return `${Object.keys(example).join(',')}\n${Object.values(example).join(',')}\n`;
}
