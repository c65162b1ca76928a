import { RowsRefused } from './rejections.js';

const LARGEST_PIECE_BYTES = 1_048_576;
const [LINE_FEED, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x22, 0x5c, 0x2c];
const [OPENS_ARRAY, CLOSES_ARRAY] = [0x5b, 0x5d];
const OPENING = new Set([OPENS_ARRAY, 0x7b]);
const CLOSING = new Set([CLOSES_ARRAY, 0x7d]);
const NO_ARRAY = 'This is not one well-formed JSON array.';

/** The text of one JSON value, at its line, or at its place in an array, from 1. */
export interface JsonPiece {
  line: number;
  text: Buffer;
}

/** The values of newline-delimited JSON. Empty lines are none. */
export async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<JsonPiece> {
  let line = 1;
  for await (const text of cut(source, (byte) => byte === LINE_FEED)) {
    const value = line === 1 ? withoutByteOrderMark(text) : text;
    if (!isBlank(value)) yield { line, text: value };
    line += 1;
  }
}

/**
 * The elements of a JSON array, found by its brackets and quotes alone: each is still to be parsed.
 * @throws {RowsRefused} where the array never ends, or something comes after its end.
 */
export async function* splitArray(source: AsyncIterable<Buffer>): AsyncGenerator<JsonPiece> {
  const depth = new Depth();
  let place = 0;
  let isOver = false;
  for await (const text of cut(source, (byte) => depth.endsElement(byte))) {
    if (place === 0 && !isBlank(withoutByteOrderMark(text))) throw new RowsRefused(NO_ARRAY);
    if (isOver && !isBlank(text)) throw new RowsRefused('Something comes after the array.');
    const isEmptyArray = place === 1 && depth.isOver && isBlank(text);
    if (place > 0 && !isOver && !isEmptyArray) yield { line: place, text };
    isOver = depth.isOver;
    place += 1;
  }
  if (!isOver) throw new RowsRefused('The array is not well-formed JSON: it never ends.');
}

/** Follows JSON from bracket to bracket. */
class Depth {
  isOver = false;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /** Whether an element of the outermost array ends before this byte; its opening bracket ends none, the first. */
  endsElement(byte: number): boolean {
    if (this.isInString) {
      if (byte === QUOTE && !this.isEscaped) this.isInString = false;
      this.isEscaped = byte === BACKSLASH && !this.isEscaped;
      return false;
    }
    if (byte === QUOTE) this.isInString = true;
    if (OPENING.has(byte)) return this.descend(byte);
    if (CLOSING.has(byte)) return this.ascend(byte);
    return byte === COMMA && this.depth === 1;
  }

  private descend(byte: number): boolean {
    if (this.depth === 0 && byte !== OPENS_ARRAY) throw new RowsRefused(NO_ARRAY);
    this.depth += 1;
    return this.depth === 1;
  }

  private ascend(byte: number): boolean {
    this.depth -= 1;
    if (this.depth < 0 || (this.depth === 0 && byte !== CLOSES_ARRAY))
      throw new RowsRefused(NO_ARRAY);
    this.isOver ||= this.depth === 0;
    return this.depth === 0;
  }
}

async function* cut(source: AsyncIterable<Buffer>, isEnd: (byte: number) => boolean) {
  let begun = Buffer.alloc(0);
  for await (const chunk of source) {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      if (!isEnd(chunk[index]!)) continue;
      const rest = chunk.subarray(start, index);
      yield begun.length ? Buffer.concat([begun, rest]) : rest;
      begun = Buffer.alloc(0);
      start = index + 1;
    }
    begun = Buffer.concat([begun, chunk.subarray(start)]);
    if (begun.length > LARGEST_PIECE_BYTES) throw new RowsRefused('A row is larger than 1 MiB.');
  }
  yield begun;
}

function isBlank(text: Buffer): boolean {
  return text.toString('latin1').trim() === '';
}

function withoutByteOrderMark(text: Buffer): Buffer {
  return text.toString('latin1', 0, 3) === '\u{ef}\u{bb}\u{bf}' ? text.subarray(3) : text;
}
