import { quoteName, type QueryColumn } from '../query/columns.js';
import type { Statement } from '../query/statements.js';

/** How the rows of a list are written. */
export interface Format {
  mediaType: string;
  /** How PostgreSQL writes a row: as a JSON object, or as a line of CSV below a header. */
  rowsAre: 'json' | 'csv';
  /** The text around the rows, which are separated by commas. Without it, each row is a line. */
  wrapper?: [head: string, tail: string];
  /** Whether members that are null are left out. */
  stripsNulls?: boolean;
  /** Whether text that a spreadsheet would execute as a formula gets an apostrophe before it. */
  quotesFormulas?: boolean;
}

export type Formats = Record<FormatName, Format>;

/** The values of `?format=`. */
export const FORMAT_PARAMETERS = ['json', 'csv', 'ndjson', 'array'] as const;
export type FormatParameter = (typeof FORMAT_PARAMETERS)[number];
/**
 * Clients request the others by `Accept`, by `Prefer` or by their address only. `object` is one row, and
 * `json-array` is the JSON of PostgREST.
 */
export type FormatName =
  FormatParameter | 'object' | 'stripped-array' | 'stripped-object' | 'json-array' | 'safe-csv';

const CSV = 'text/csv';
const JSON_TYPE = 'application/json';
const ARRAY = 'application/vnd.pgrst.array+json';
const OBJECT = 'application/vnd.pgrst.object+json';

/** The formats of a list. `listMember` is the member of the JSON format that holds the rows. */
export function formatsOf(listMember: string): Formats {
  return {
    json: {
      mediaType: JSON_TYPE,
      rowsAre: 'json',
      wrapper: [`{"${listMember}":[`, ']}'],
    },
    csv: { mediaType: CSV, rowsAre: 'csv' },
    'safe-csv': { mediaType: CSV, rowsAre: 'csv', quotesFormulas: true },
    ndjson: { mediaType: 'application/x-ndjson', rowsAre: 'json' },
    array: { mediaType: ARRAY, rowsAre: 'json', wrapper: ['[', ']'] },
    object: { mediaType: OBJECT, rowsAre: 'json' },
    'json-array': { mediaType: JSON_TYPE, rowsAre: 'json', wrapper: ['[', ']'] },
    'stripped-array': {
      mediaType: `${ARRAY};nulls=stripped`,
      rowsAre: 'json',
      wrapper: ['[', ']'],
      stripsNulls: true,
    },
    'stripped-object': {
      mediaType: `${OBJECT};nulls=stripped`,
      rowsAre: 'json',
      stripsNulls: true,
    },
  };
}

/** JSON text never contains these characters unescaped, so COPY writes each row unchanged on a line. */
const UNQUOTED_LINES = String.raw`FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'`;

/** What the first character of a formula can be: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = String.raw`E'^[=+\\-@\t\r\n]'`;

/** A COPY statement for the rows of a query with these columns. */
export function copyStatement(query: string, columns: QueryColumn[], format: Format): string {
  const { rowsAre, stripsNulls, quotesFormulas } = format;
  if (rowsAre === 'csv') {
    const rows = quotesFormulas ? quoteFormulas(query, columns) : query;
    return `COPY (${rows}) TO STDOUT (FORMAT csv, HEADER)`;
  }
  const object = stripsNulls ? 'json_strip_nulls(row_to_json(row))' : 'row_to_json(row)';
  return `COPY (SELECT ${object} FROM (${query}) AS row) TO STDOUT (${UNQUOTED_LINES})`;
}

function quoteFormulas(query: string, columns: QueryColumn[]): string {
  const items = columns.map(({ name, type }) => {
    const quoted = quoteName(name);
    if (type !== 'text') return quoted;
    return `CASE WHEN ${quoted}::text ~ ${FORMULA} THEN '''' || ${quoted} ELSE ${quoted}::text END AS ${quoted}`;
  });
  return `SELECT ${items.join(', ')} FROM (${query}) AS listed`;
}

type Literal = string | number | null;

/** A placeholder, or a literal or name in quotes, in which `$1` is text. */
const PLACEHOLDER = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)/g;

/** A statement with its values as literals: COPY takes no parameters. */
export function inlineParameters(
  { text, values }: Statement,
  escape: (text: string) => string,
): string {
  const literal = (value: Literal | Literal[]): string => {
    if (value === null) return 'NULL';
    if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(',')}]`;
    return escape(String(value));
  };
  return text.replaceAll(PLACEHOLDER, (quoted, number?: string) =>
    number === undefined ? quoted : literal(values[Number(number) - 1] as Literal | Literal[]),
  );
}

const [NEW_LINE, COMMA] = [0x0a, 0x2c];

/** Puts lines of JSON into a wrapper, with commas in place of the line ends. */
export async function* wrapLines(
  lines: AsyncIterable<Buffer>,
  [head, tail]: [string, string],
): AsyncGenerator<Buffer> {
  let previous: Buffer = Buffer.from(head);
  for await (const chunk of lines) {
    yield previous;
    replaceLineEnds(chunk);
    previous = chunk;
  }
  // the last comma separates nothing
  if (previous.at(-1) === COMMA) previous = previous.subarray(0, -1);
  yield previous;
  yield Buffer.from(tail);
}

function replaceLineEnds(chunk: Buffer): void {
  for (let at = chunk.indexOf(NEW_LINE); at >= 0; at = chunk.indexOf(NEW_LINE, at + 1)) {
    chunk[at] = COMMA;
  }
}
