import type { RowSource } from '../http/upload.js';
import { parseCsv } from './csv-parser.js';
import type { ImportRules } from './import-rules.js';
import { decodeText } from './decode-text.js';
import type { ImportOptions } from './import-options.js';
import { unwrapList } from './json-envelope.js';
import { JsonRowParser } from './json-parser.js';
import { splitArray, splitLines } from './json-splitter.js';
import type { ParsedRows } from './parsed-rows.js';
import type { RowErrors } from './row-errors.js';

/**
 * Parses the bytes of an upload. Rows with a syntax error are added to `rowErrors`; the values of the
 * others are validated after staging.
 * @throws {InvalidUploadError} if the upload as a whole cannot be parsed.
 */
export async function parseRows(
  { mediaType, charset }: Pick<RowSource, 'mediaType' | 'charset'>,
  bytes: AsyncIterable<Buffer>,
  rules: ImportRules,
  options: ImportOptions,
  rowErrors: RowErrors,
): Promise<ParsedRows> {
  const text = decodeText(bytes, charset);
  if (mediaType === 'text/csv') return parseCsv(text, rules.uploadColumns, options, rowErrors);
  const isArray = mediaType === 'application/json';
  const values = isArray ? splitArray(unwrapList(text, rules.listMember)) : splitLines(text);
  const pointerTo = (line: number) => (isArray ? `#/${line - 1}` : '#');
  const parser = new JsonRowParser(rules, options.columns, rowErrors, pointerTo);
  const names = rules.uploadColumns.map(({ name }) => name);
  return {
    columns: [...names, 'absent'],
    delimiter: ',',
    isCsv: false,
    pointerTo,
    hasIds: () => parser.hasIds,
    copyText: parser.parse(values),
  };
}
