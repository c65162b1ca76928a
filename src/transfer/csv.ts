import { didYouMean } from '../did-you-mean.js';
import type { ImportColumn } from './columns.js';
import { CsvFramer } from './csv-framer.js';
import { RowsRefused, type Rejections } from './rejections.js';
import type { IncomingRows } from './rows.js';

const LONGEST_HEADER_BYTES = 65_536;
const DELIMITERS = [',', ';', '\t'];

/**
 * Reads CSV (RFC 4180) as people have it: with or without a byte order mark, separated by commas,
 * semicolons or tabs, its columns in any order, any ends of line.
 * @throws {RowsRefused} where the header names no columns of ours, or the text is not UTF-8.
 */
export async function readCsv(
  source: AsyncIterable<Buffer>,
  columns: ImportColumn[],
  rejections: Rejections,
): Promise<IncomingRows> {
  const chunks = source[Symbol.asyncIterator]();
  const { header, rest, isFollowed } = await readHeader(chunks);
  const delimiter = findDelimiter(header);
  const names = readNames(header, delimiter, columns);
  const framer = new CsvFramer(delimiter, names.length, rejections);
  const copyText = frame(framer, rest, isFollowed ? chunks : undefined);
  return { columns: names, delimiter, isEmptyNull: true, pointTo: () => '#', copyText };
}

async function* frame(framer: CsvFramer, rest: Buffer, chunks?: AsyncIterator<Buffer>) {
  yield framer.push(rest);
  for (let next = await chunks?.next(); next && !next.done; next = await chunks?.next()) {
    yield framer.push(next.value);
  }
  yield framer.end();
}

async function readHeader(chunks: AsyncIterator<Buffer>) {
  let start = Buffer.alloc(0);
  while (start.length < LONGEST_HEADER_BYTES) {
    const next = await chunks.next();
    if (!next.done) start = Buffer.concat([start, next.value]);
    refuseUtf16(start);
    const end = start.findIndex((byte) => byte === 0x0a || byte === 0x0d);
    if (end < 0 && !next.done) continue;
    const length = end < 0 ? start.length : end;
    const header = start.toString('utf8', 0, length).replace(/^\u{feff}/u, '');
    return { header, rest: start.subarray(length), isFollowed: !next.done };
  }
  throw new RowsRefused('The first line is too long to be a header such as name,city.');
}

function refuseUtf16(start: Buffer): void {
  const mark = start.toString('latin1', 0, 2);
  if (mark !== '\u{ff}\u{fe}' && mark !== '\u{fe}\u{ff}' && !start.includes(0)) return;
  throw new RowsRefused('This is UTF-16, or no text at all: save it as UTF-8.');
}

function findDelimiter(header: string): string {
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, next) => (count(next) > count(best) ? next : best));
}

function readNames(header: string, delimiter: string, columns: ImportColumn[]): string[] {
  const known = columns.map(({ name }) => name);
  const names = header.split(delimiter).map((text) => text.trim().replaceAll(/^"|"$/g, ''));
  if (names.join('') === '')
    throw new RowsRefused(`There is no header such as ${known.join(',')}.`);
  for (const [index, name] of names.entries()) {
    if (!known.includes(name)) {
      throw new RowsRefused(`There is no column "${name}": ${didYouMean(name, known)}`);
    }
    if (names.indexOf(name) < index) throw new RowsRefused(`The header names ${name} twice.`);
  }
  const missing = columns.find(({ name, isRequired }) => isRequired && !names.includes(name));
  if (missing) throw new RowsRefused(`The header lacks the column ${missing.name}.`);
  return names;
}
