import type { Fault } from '../http/input.js';
import type { ImportColumn } from './columns.js';
import { readCsv } from './csv.js';
import { splitArray, splitLines } from './json-pieces.js';
import { readJsonRows } from './json-rows.js';
import type { Rejections } from './rejections.js';

/** Says in words what is wrong with a row that was found wanting. */
export type Explain = (members: Record<string, unknown>) => Fault[];

/** Rows on their way in, as PostgreSQL's COPY reads CSV, each with its line in front. */
export interface IncomingRows {
  /** Those that the rows fill in, in the order in which they come. */
  columns: string[];
  delimiter: string;
  /** Whether an empty field in quotes is null as well, as in files that people make. */
  isEmptyNull: boolean;
  /** Where a row of this line stands in its document, as a JSON pointer's beginning (RFC 6901). */
  pointTo: (line: number) => string;
  copyText: AsyncIterable<Buffer>;
}

/**
 * Reads rows of a media type. What is wrong with a row for all to see goes to `rejections`; what the
 * row says is judged later.
 * @throws {RowsRefused} where it is not rows of that kind at all.
 */
export async function readRows(
  mediaType: string,
  source: AsyncIterable<Buffer>,
  columns: ImportColumn[],
  rejections: Rejections,
  explain: Explain,
): Promise<IncomingRows> {
  if (mediaType === 'text/csv') return readCsv(source, columns, rejections);
  const isArray = mediaType === 'application/json';
  const pieces = isArray ? splitArray(source) : splitLines(source);
  const pointTo = (line: number) => (isArray ? `#/${line - 1}` : '#');
  const copyText = readJsonRows(pieces, columns, rejections, explain, pointTo);
  const names = columns.map(({ name }) => name);
  return { columns: [...names, 'absent'], delimiter: ',', isEmptyNull: false, pointTo, copyText };
}
