import { suggest } from '../query/suggest.js';
import { CsvRecordSplitter } from './csv-record-splitter.js';
import type { ImportColumn } from './import-columns.js';
import type { ParsedRows } from './parsed-rows.js';
import { InvalidUploadError, type RowErrors } from './row-errors.js';

const MAX_HEADER_BYTES = 65_536;
const DELIMITERS = [',', ';', '\t'];
const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

/**
 * Parses CSV (RFC 4180) as spreadsheet programs write it: with or without a byte order mark, separated
 * by commas, semicolons or tabs, with any line ends, and with its columns in any order.
 * @throws {InvalidUploadError} if the header has an unknown column, or the text is not UTF-8.
 */
export async function parseCsv(
  bytes: AsyncIterable<Buffer>,
  columns: ImportColumn[],
  rowErrors: RowErrors,
): Promise<ParsedRows> {
  const chunks = bytes[Symbol.asyncIterator]();
  const { header, rest, isFollowed } = await readHeader(chunks);
  const delimiter = detectDelimiter(header);
  const names = parseHeader(header, delimiter, columns);
  const splitter = new CsvRecordSplitter(delimiter, names.length, rowErrors);
  const copyText = splitRecords(splitter, rest, isFollowed ? chunks : undefined);
  return { columns: names, delimiter, isEmptyNull: true, pointerTo: () => '#', copyText };
}

async function* splitRecords(
  splitter: CsvRecordSplitter,
  rest: Buffer,
  chunks?: AsyncIterator<Buffer>,
) {
  yield splitter.push(rest);
  for (let next = await chunks?.next(); next && !next.done; next = await chunks?.next()) {
    yield splitter.push(next.value);
  }
  yield splitter.end();
}

async function readHeader(chunks: AsyncIterator<Buffer>) {
  let start = Buffer.alloc(0);
  while (start.length < MAX_HEADER_BYTES) {
    const next = await chunks.next();
    if (!next.done) start = Buffer.concat([start, next.value]);
    rejectUtf16(start);
    const end = start.findIndex((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN);
    if (end < 0 && !next.done) continue;
    const length = end < 0 ? start.length : end;
    const header = start.toString('utf8', 0, length).replace(/^\u{feff}/u, '');
    return { header, rest: start.subarray(length), isFollowed: !next.done };
  }
  throw new InvalidUploadError(
    'The first line is too long to be a header. Send the names of the columns in the first line.',
  );
}

function rejectUtf16(start: Buffer): void {
  const mark = start.toString('latin1', 0, 2);
  if (mark !== '\u{ff}\u{fe}' && mark !== '\u{fe}\u{ff}' && !start.includes(0)) return;
  throw new InvalidUploadError('The file is UTF-16 or not text at all. Save it as UTF-8.');
}

function detectDelimiter(header: string): string {
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
}

function parseHeader(header: string, delimiter: string, columns: ImportColumn[]): string[] {
  const known = columns.map(({ name }) => name);
  const names = header.split(delimiter).map((text) => text.trim().replaceAll(/^"|"$/g, ''));
  if (names.join('') === '')
    throw new InvalidUploadError(`There is no header such as ${known.join(',')}.`);
  for (const [index, name] of names.entries()) {
    if (!known.includes(name)) {
      throw new InvalidUploadError(`There is no column "${name}": ${suggest(name, known)}`);
    }
    if (names.indexOf(name) < index)
      throw new InvalidUploadError(`The header names ${name} twice.`);
  }
  const missing = columns.find(({ name, isRequired }) => isRequired && !names.includes(name));
  if (missing) throw new InvalidUploadError(`The header lacks the column ${missing.name}.`);
  return names;
}
