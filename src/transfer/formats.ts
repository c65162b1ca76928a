import type { Statement } from '../query/statements.js';

/** How rows are written in an answer. */
export interface Format {
  mediaType: string;
  /** How PostgreSQL writes a row: as JSON, or as a line of CSV under a header. */
  rowsAre: 'json' | 'csv';
  /** What stands around the rows, and commas between them; without, each row is a line. */
  enclosure?: [string, string];
}

export type FormatName = 'json' | 'csv' | 'ndjson' | 'array' | 'object';

/** The formats of lists, the usual one first; `member` names the list in it. */
export function formatsOf(member: string): Record<FormatName, Format> {
  return {
    json: {
      mediaType: 'application/json',
      rowsAre: 'json',
      enclosure: [`{"${member}":[`, ']}'],
    },
    csv: { mediaType: 'text/csv', rowsAre: 'csv' },
    ndjson: { mediaType: 'application/x-ndjson', rowsAre: 'json' },
    array: {
      mediaType: 'application/vnd.pgrst.array+json',
      rowsAre: 'json',
      enclosure: ['[', ']'],
    },
    object: { mediaType: 'application/vnd.pgrst.object+json', rowsAre: 'json' },
  };
}

/** JSON never has these characters in it, so that COPY passes each row on as it is, in a line. */
const AS_IS = String.raw`FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'`;

/** COPY for the rows of a statement. */
export function copyRows(rows: string, { rowsAre }: Format): string {
  if (rowsAre === 'csv') return `COPY (${rows}) TO STDOUT (FORMAT csv, HEADER)`;
  return `COPY (SELECT row_to_json(row) FROM (${rows}) AS row) TO STDOUT (${AS_IS})`;
}

type Literal = string | number | null;

/** A statement with its values in their places, for COPY, which takes none beside it. */
export function fillIn({ text, values }: Statement, escape: (text: string) => string): string {
  const literal = (value: Literal | Literal[]): string => {
    if (value === null) return 'NULL';
    if (Array.isArray(value)) return `ARRAY[${value.map(literal).join(',')}]`;
    return escape(String(value));
  };
  return text.replaceAll(/\$(\d+)/g, (_, place) =>
    literal(values[Number(place) - 1] as Literal | Literal[]),
  );
}

const [NEW_LINE, COMMA] = [0x0a, 0x2c];

/** Puts lines of JSON between the brackets of `enclosure`, with commas in place of their ends. */
export async function* enclose(
  lines: AsyncIterable<Buffer>,
  [head, tail]: [string, string],
): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.from(head);
  for await (const chunk of lines) {
    yield held;
    joinLines(chunk);
    held = chunk;
  }
  // what ends in a comma ended in a row
  if (held.at(-1) === COMMA) held = held.subarray(0, -1);
  yield held;
  yield Buffer.from(tail);
}

function joinLines(chunk: Buffer): void {
  for (let at = chunk.indexOf(NEW_LINE); at >= 0; at = chunk.indexOf(NEW_LINE, at + 1)) {
    chunk[at] = COMMA;
  }
}
