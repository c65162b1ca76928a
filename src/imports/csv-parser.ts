import type { ColumnMapping } from '../query/column-mappings.js';
import { chooseColumns, normalizeName, type FieldUse } from './choose-columns.js';
import { readCsvHeader, type CsvHeader } from './csv-header.js';
import { CsvRecordSplitter } from './csv-record-splitter.js';
import { ID_COLUMN, type ImportColumn } from './import-columns.js';
import type { ImportOptions } from './import-options.js';
import type { ParsedRows } from './parsed-rows.js';
import { InvalidUploadError, type RowErrors } from './row-errors.js';

const NULL_TEXT = 'NULL';
const MAX_QUOTED_LENGTH = 80;

/**
 * Parses CSV (RFC 4180) as spreadsheet programs write it: with or without a byte order mark, separated
 * by commas, semicolons, tabs or bars, with any line ends, and with its columns in any order.
 * @throws {InvalidUploadError} if the header has an unknown column, or lacks a required one.
 */
export async function parseCsv(
  bytes: AsyncIterable<Buffer>,
  columns: ImportColumn[],
  { columns: mappings, nullText }: ImportOptions,
  rowErrors: RowErrors,
): Promise<ParsedRows> {
  const chunks = bytes[Symbol.asyncIterator]();
  const { header, uses } = await readCsvColumns(chunks, columns, mappings);
  const { delimiter, line, rest } = header;
  const nullTexts = nullText === undefined ? [NULL_TEXT] : [NULL_TEXT, nullText];
  const rules = { delimiter, uses, nullTexts, headerLine: line };
  const copyText = splitRecords(new CsvRecordSplitter(rules, rowErrors), rest, chunks);
  const used = uses.flatMap((use) => (typeof use === 'object' ? use.column : []));
  const hasIds = used.includes(ID_COLUMN.name);
  return {
    columns: used,
    delimiter,
    isCsv: true,
    pointerTo: () => '#',
    hasIds: () => hasIds,
    copyText,
  };
}

/** Reads the header, and finds the use of each field. The errors are those of `parseCsv`. */
export async function readCsvColumns(
  chunks: AsyncIterator<Buffer>,
  columns: ImportColumn[],
  mappings: ColumnMapping[] | undefined,
): Promise<{ header: CsvHeader; uses: FieldUse[] }> {
  const header = await readCsvHeader(chunks);
  if (!mappings) rejectData(header, columns);
  return { header, uses: chooseColumns(header.names, columns, mappings) };
}

async function* splitRecords(
  splitter: CsvRecordSplitter,
  rest: Buffer,
  chunks: AsyncIterator<Buffer>,
) {
  yield splitter.push(rest);
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
    yield splitter.push(next.value);
  }
  yield splitter.end();
}

/** A first line with a number, and without the name of a column, is no header. */
function rejectData({ names, text }: CsvHeader, columns: ImportColumn[]): void {
  const known = columns.map(({ name }) => name);
  const hasColumn = names.some((name) => known.includes(normalizeName(name)));
  if (hasColumn || !names.some((name) => /^\d+(\.\d+)?$/.test(name))) return;
  const example = known.filter((name) => name !== ID_COLUMN.name).join(',');
  const shown = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  throw new InvalidUploadError(
    `The first line looks like data: ${shown}. Add a line with the names of the columns before it, as in ${example}.`,
  );
}
