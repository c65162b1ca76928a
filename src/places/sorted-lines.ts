const NEWLINE = 10;
const TAB = '\t';

/**
 * The lines that begin with a key and a tab, by binary search. The lines are sorted by the bytes of their keys
 * and end in newlines.
 */
export function findLines(lines: Buffer, key: string): string[] {
  const prefix = Buffer.from(key + TAB);
  const found: string[] = [];
  let start = lowerBound(lines, prefix);
  while (compareAt(lines, start, prefix) === 0) {
    const end = lines.indexOf(NEWLINE, start);
    found.push(lines.toString('utf8', start, end));
    start = end + 1;
  }
  return found;
}

/** Where the first line begins that is not less than `prefix`. */
function lowerBound(lines: Buffer, prefix: Buffer): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const start = startOfLine(lines, (low + high) >> 1);
    if (compareAt(lines, start, prefix) < 0) low = lines.indexOf(NEWLINE, start) + 1;
    else high = start;
  }
  return low;
}

function startOfLine(lines: Buffer, offset: number): number {
  return offset === 0 ? 0 : lines.lastIndexOf(NEWLINE, offset - 1) + 1;
}

function compareAt(lines: Buffer, start: number, prefix: Buffer): number {
  return lines.compare(
    prefix,
    0,
    prefix.length,
    start,
    Math.min(start + prefix.length, lines.length),
  );
}
