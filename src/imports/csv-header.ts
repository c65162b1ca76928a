import { isUtf8 } from 'node:buffer';
import { InvalidUploadError } from './row-errors.js';

/** The header of a CSV file. */
export interface CsvHeader {
  /** Without surrounding spaces and quotes. */
  names: string[];
  text: string;
  delimiter: string;
  /** The line that it ends in, from 1. */
  line: number;
  /** What follows in the bytes that were read, from the end of its line on. */
  rest: Buffer;
}

const MAX_HEADER_BYTES = 65_536;
const DELIMITERS = [',', ';', '\t', '|'];
const BYTE_ORDER_MARK = '\u{ef}\u{bb}\u{bf}';
/** What other files begin with: https://en.wikipedia.org/wiki/List_of_file_signatures */
const OTHER_FILES = [
  ['PK\u{3}\u{4}', 'a workbook, such as xlsx or ods, or another ZIP file'],
  ['\u{d0}\u{cf}\u{11}\u{e0}', 'a workbook of an old Excel'],
  ['\u{1f}\u{8b}', 'compressed with gzip'],
  ['%PDF', 'a PDF document'],
  ['<', 'HTML or XML'],
] as const;
const MAX_SIGNATURE_BYTES = 4;
/** Spreadsheet programs of some countries name the separator so. */
const SEPARATOR_LINE = /^"?sep=(\t|(?![\w"])[\x21-\x7e])"?[,;\t|]*$/i;
const BLANK_LINE = /^[\s,;|"]*$/;

/**
 * Reads the header: the first line that is not blank, after `sep=` if the file has it.
 * @throws {InvalidUploadError} if the file is empty, or the first line is too long.
 */
export async function readCsvHeader(chunks: AsyncIterator<Buffer>): Promise<CsvHeader> {
  let start = Buffer.alloc(0);
  while (start.length < MAX_HEADER_BYTES) {
    const next = await chunks.next();
    if (!next.done) start = Buffer.concat([start, next.value]);
    rejectBinary(start);
    const header = findHeader(start, next.done ?? false);
    if (header) return header;
    if (next.done) throw new InvalidUploadError('The file is empty. Send a header and rows.');
  }
  throw new InvalidUploadError(
    'The first line is too long to be a header. Send the names of the columns in the first line.',
  );
}

function rejectBinary(start: Buffer): void {
  const text = start.toString('latin1', 0, MAX_SIGNATURE_BYTES);
  const kind = OTHER_FILES.find(([signature]) => text.startsWith(signature))?.[1];
  if (kind) throw new InvalidUploadError(`The file is ${kind}. Save it as CSV, and send that.`);
  if (!start.includes(0)) return;
  throw new InvalidUploadError(
    'The file is not text, or it is UTF-16 without a byte order mark. Save it as UTF-8, or name its ' +
      'encoding, as in Content-Type: text/csv; charset=utf-16le.',
  );
}

/** Undefined if the header has not ended. Each character of `text` is a byte. */
function findHeader(start: Buffer, isAll: boolean): CsvHeader | undefined {
  const text = start.toString('latin1');
  let index = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  let named: string | undefined;
  for (let line = 1; index < text.length; line += 1) {
    const end = findLineEnd(text, index) ?? (isAll ? text.length : undefined);
    if (end === undefined) return undefined;
    const content = text.slice(index, end);
    named ??= SEPARATOR_LINE.exec(content)?.[1];
    if (!SEPARATOR_LINE.test(content) && !BLANK_LINE.test(content)) {
      const bytes = start.subarray(index, end);
      rejectOtherEncoding(bytes);
      const lastLine = line + (content.match(/\n/g)?.length ?? 0);
      return { ...parseHeader(bytes.toString(), named), line: lastLine, rest: start.subarray(end) };
    }
    index = end + (text.startsWith('\r\n', end) ? 2 : 1);
  }
  return undefined;
}

function rejectOtherEncoding(header: Buffer): void {
  if (isUtf8(header)) return;
  throw new InvalidUploadError(
    'The first line is not UTF-8. Save the file as UTF-8, or name its encoding, as in ' +
      'Content-Type: text/csv; charset=windows-1252.',
  );
}

/** The end of a line, which is not in quotes. */
function findLineEnd(text: string, start: number): number | undefined {
  let isQuoted = false;
  for (let index = start; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (letter === '\n' || letter === '\r')) return index;
  }
  return undefined;
}

function parseHeader(text: string, named?: string) {
  const delimiter = named ?? detectDelimiter(text);
  const names = splitFields(text, delimiter).map((field) => field.trim());
  return { names, text, delimiter };
}

function detectDelimiter(header: string): string {
  const count = (delimiter: string) => splitFields(header, delimiter).length;
  return DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
}

/** Fields without their quotes (RFC 4180). */
function splitFields(text: string, delimiter: string): string[] {
  const fields = [''];
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index]!;
    if (letter === '"') {
      isQuoted = !isQuoted;
      if (isQuoted && text[index - 1] === '"') fields[fields.length - 1] += '"';
    } else if (letter === delimiter && !isQuoted) fields.push('');
    else fields[fields.length - 1] += letter;
  }
  return fields;
}
