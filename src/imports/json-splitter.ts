import { InvalidUploadError } from './row-errors.js';

const MAX_VALUE_BYTES = 1_048_576;
const [LINE_FEED, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x22, 0x5c, 0x2c];
const [OPENS_ARRAY, CLOSES_ARRAY] = [0x5b, 0x5d];
const OPENING = new Set([OPENS_ARRAY, 0x7b]);
const CLOSING = new Set([CLOSES_ARRAY, 0x7d]);
const NOT_AN_ARRAY = 'The body is not one well-formed JSON array.';

/** The text of a JSON value, and its line, or its number in an array, from 1. */
export interface JsonText {
  line: number;
  text: Buffer;
}

/** Splits newline-delimited JSON. Empty lines are skipped. */
export async function* splitLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<JsonText> {
  let line = 1;
  for await (const text of split(bytes, (byte) => byte === LINE_FEED)) {
    const value = line === 1 ? withoutByteOrderMark(text) : text;
    if (!isBlank(value)) yield { line, text: value };
    line += 1;
  }
}

/**
 * Splits a JSON array into its elements, by its brackets and quotes only: the elements are not parsed.
 * @throws {InvalidUploadError} if the array does not end, or text follows it.
 */
export async function* splitArray(bytes: AsyncIterable<Buffer>): AsyncGenerator<JsonText> {
  const nesting = new Nesting();
  let line = 0;
  let isComplete = false;
  for await (const text of split(bytes, (byte) => nesting.endsElement(byte))) {
    if (line === 0 && !isBlank(withoutByteOrderMark(text)))
      throw new InvalidUploadError(NOT_AN_ARRAY);
    if (isComplete && !isBlank(text)) throw new InvalidUploadError('Text follows the JSON array.');
    const isEmptyArray = line === 1 && nesting.isComplete && isBlank(text);
    if (line > 0 && !isComplete && !isEmptyArray) yield { line, text };
    isComplete = nesting.isComplete;
    line += 1;
  }
  if (!isComplete) throw new InvalidUploadError('The JSON array never ends.');
}

/** Tracks brackets and strings of a JSON text. */
class Nesting {
  /** Whether the outermost array has ended. */
  isComplete = false;
  private depth = 0;
  private isInString = false;
  private isEscaped = false;

  /** Whether `byte` ends an element of the outermost array, or begins that array. */
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
    if (this.depth === 0 && byte !== OPENS_ARRAY) throw new InvalidUploadError(NOT_AN_ARRAY);
    this.depth += 1;
    return this.depth === 1;
  }

  private ascend(byte: number): boolean {
    this.depth -= 1;
    if (this.depth < 0 || (this.depth === 0 && byte !== CLOSES_ARRAY))
      throw new InvalidUploadError(NOT_AN_ARRAY);
    this.isComplete ||= this.depth === 0;
    return this.depth === 0;
  }
}

async function* split(bytes: AsyncIterable<Buffer>, isEnd: (byte: number) => boolean) {
  let incomplete = Buffer.alloc(0);
  for await (const chunk of bytes) {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      if (!isEnd(chunk[index]!)) continue;
      const rest = chunk.subarray(start, index);
      yield incomplete.length ? Buffer.concat([incomplete, rest]) : rest;
      incomplete = Buffer.alloc(0);
      start = index + 1;
    }
    incomplete = Buffer.concat([incomplete, chunk.subarray(start)]);
    if (incomplete.length > MAX_VALUE_BYTES)
      throw new InvalidUploadError('A row is larger than 1 MiB.');
  }
  yield incomplete;
}

function isBlank(text: Buffer): boolean {
  return text.toString('latin1').trim() === '';
}

function withoutByteOrderMark(text: Buffer): Buffer {
  return text.toString('latin1', 0, 3) === '\u{ef}\u{bb}\u{bf}' ? text.subarray(3) : text;
}
