import type { RowSource } from '../http/upload.js';
import { parseCsv } from './csv-parser.js';
import type { ImportRules } from './import-rules.js';
import { parseJsonRows } from './json-parser.js';
import { splitArray, splitLines } from './json-splitter.js';
import type { ParsedRows } from './parsed-rows.js';
import type { RowErrors } from './row-errors.js';

/**
 * Parses the bytes of an upload. Rows with a syntax error are added to `rowErrors`; the values of the
 * others are validated after staging.
 * @throws {InvalidUploadError} if the upload as a whole cannot be parsed.
 */
export async function parseRows(
  { mediaType }: Pick<RowSource, 'mediaType'>,
  bytes: AsyncIterable<Buffer>,
  rules: ImportRules,
  rowErrors: RowErrors,
): Promise<ParsedRows> {
  if (mediaType === 'text/csv') return parseCsv(bytes, rules.columns, rowErrors);
  const isArray = mediaType === 'application/json';
  const values = isArray ? splitArray(bytes) : splitLines(bytes);
  const pointerTo = (line: number) => (isArray ? `#/${line - 1}` : '#');
  const copyText = parseJsonRows(values, rules, rowErrors, pointerTo);
  const names = rules.columns.map(({ name }) => name);
  return { columns: [...names, 'absent'], delimiter: ',', isEmptyNull: false, pointerTo, copyText };
}
