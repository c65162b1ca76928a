const NEW_LINE = 0x0a;
const QUOTE = 0x22;
const NULL_TEXT = 'NULL';
const UNQUOTED_NULL = /(^|[,\n])NULL(?=[,\n]|$)/g;

/**
 * Puts quotes around the text NULL in CSV. PostgreSQL writes it without quotes, and null as nothing at all,
 * but many programs, and the imports of this service, read NULL as null.
 */
export async function* quoteNulls(csv: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let isQuoted = false;
  for await (const chunk of csv) {
    const bytes = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(NEW_LINE) + 1;
    const lines = bytes.subarray(0, end);
    rest = bytes.subarray(end);
    yield lines.includes(NULL_TEXT) ? quoteNullsIn(lines, isQuoted) : lines;
    if (countQuotes(lines) % 2) isQuoted = !isQuoted;
  }
  yield rest.includes(NULL_TEXT) ? quoteNullsIn(rest, isQuoted) : rest;
}

/** `isQuoted` tells whether the lines begin in a quoted field. Each character of the text is a byte. */
function quoteNullsIn(lines: Buffer, isQuoted: boolean): Buffer {
  const parts = lines.toString('latin1').split('"');
  const quoted = parts.map((part, index) =>
    (index % 2 === 1) === isQuoted ? part.replaceAll(UNQUOTED_NULL, '$1"NULL"') : part,
  );
  return Buffer.from(quoted.join('"'), 'latin1');
}

function countQuotes(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(QUOTE); at >= 0; at = bytes.indexOf(QUOTE, at + 1)) count += 1;
  return count;
}
