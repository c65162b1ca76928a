import { isUtf8 } from 'node:buffer';
import type { FieldUse } from './choose-columns.js';
import { InvalidUploadError, type RowErrors } from './row-errors.js';

const [LINE_FEED, CARRIAGE_RETURN, QUOTE, SPACE] = [0x0a, 0x0d, 0x22, 0x20];
const MAX_RECORD_BYTES = 1_048_576;
const MAX_LINE_NUMBER_LENGTH = 16;
const NOT_UTF8 =
  'is not UTF-8: save the file in that encoding, or name its encoding, as in Content-Type: text/csv; charset=windows-1252';

/** Where the current byte is in a field. */
const [AT_START, UNQUOTED, QUOTED, AFTER_QUOTES] = [0, 1, 2, 3];

/** How the fields of a record are read. */
export interface FieldRules {
  delimiter: string;
  /** The use of each field that the header names. */
  uses: FieldUse[];
  /** Unquoted texts that mean null. */
  nullTexts: string[];
  /** The line of the header, from 1. */
  headerLine: number;
}

/**
 * Splits CSV into records, counts their fields, and leaves out those that are not used. The line of each
 * record becomes its first field. The fields are parsed by PostgreSQL, which is several times as fast as
 * JavaScript.
 *
 * Records with a syntax error are rejected here: PostgreSQL would stop at the first of them and not
 * report the others.
 */
export class CsvRecordSplitter {
  private readonly delimiterByte: number;
  private readonly nullTexts: Buffer[];
  private output = Buffer.alloc(0);
  private length = 0;
  private recordStart = 0;
  private fieldStart = 0;
  private line: number;
  private recordLine = 1;
  private fieldState = AT_START;
  private fieldCount = 0;
  private isKept = false;
  private hasUnnamedValue = false;
  private isAscii = true;
  private isAfterReturn = false;
  private error = '';

  constructor(
    private readonly rules: FieldRules,
    private readonly rowErrors: RowErrors,
  ) {
    this.delimiterByte = rules.delimiter.charCodeAt(0);
    this.nullTexts = rules.nullTexts.map((text) => Buffer.from(text));
    this.line = rules.headerLine;
  }

  /** Returns the records that end in `chunk`. The first chunk begins with the line end of the header. */
  push(chunk: Buffer): Buffer {
    this.reserve(chunk.length);
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index]!;
      const isLineEnd = byte === LINE_FEED || byte === CARRIAGE_RETURN;
      if (isLineEnd && this.fieldState !== QUOTED) {
        if (byte === CARRIAGE_RETURN || !this.isAfterReturn) this.endLine();
        this.isAfterReturn = byte === CARRIAGE_RETURN;
        continue;
      }
      this.isAfterReturn = false;
      if (!this.fieldCount) this.beginRecord(chunk.length - index);
      if (byte === this.delimiterByte && this.fieldState !== QUOTED) this.beginNextField();
      else this.advance(byte);
    }
    return this.output.subarray(0, this.recordStart);
  }

  /** Returns the last record if no line end follows it. */
  end(): Buffer {
    if (this.fieldState === QUOTED) this.error = 'has a quote that is never closed';
    this.fieldState = AT_START;
    return this.push(Buffer.from('\n'));
  }

  /** Makes room for a chunk, and keeps the record that the last chunk did not complete. */
  private reserve(size: number): void {
    const incomplete = this.output.subarray(this.recordStart, this.length);
    if (incomplete.length > MAX_RECORD_BYTES) {
      throw new InvalidUploadError(
        `The row that begins at line ${this.recordLine} is larger than 1 MiB. Check whether a quote is never closed.`,
      );
    }
    this.output = Buffer.allocUnsafe(incomplete.length + 2 * size + MAX_LINE_NUMBER_LENGTH);
    this.output.set(incomplete);
    this.length = incomplete.length;
    this.recordStart = 0;
  }

  private beginRecord(remainingBytes: number): void {
    const needed = this.length + remainingBytes + MAX_LINE_NUMBER_LENGTH;
    if (needed > this.output.length) this.output = Buffer.concat([this.output], 2 * needed);
    this.length += this.output.write(String(this.line), this.length, 'latin1');
    this.recordLine = this.line;
    this.beginField();
  }

  private beginField(): void {
    const use = this.rules.uses[this.fieldCount];
    this.fieldCount += 1;
    this.fieldState = AT_START;
    this.isKept = typeof use === 'object';
    if (this.isKept) this.output[this.length++] = this.delimiterByte;
    this.fieldStart = this.length;
  }

  private beginNextField(): void {
    this.endField();
    this.beginField();
  }

  private endField(): void {
    if (this.isKept && this.fieldState === UNQUOTED && this.isNull()) this.length = this.fieldStart;
  }

  private isNull(): boolean {
    const size = this.length - this.fieldStart;
    for (const text of this.nullTexts) {
      // most fields differ in their first byte
      if (text.length !== size || text[0] !== this.output[this.fieldStart]) continue;
      if (text.equals(this.output.subarray(this.fieldStart, this.length))) return true;
    }
    return false;
  }

  private advance(byte: number): void {
    if (this.isKept) this.output[this.length++] = byte;
    else if (byte > SPACE && byte !== QUOTE) this.checkUnnamed();
    if (byte >= 0x80) this.isAscii = false;
    if (byte === 0) this.error = 'has a NUL character';
    if (byte === QUOTE) this.advanceOverQuote();
    else if (this.fieldState === QUOTED) this.line += byte === LINE_FEED ? 1 : 0;
    else if (this.fieldState === AFTER_QUOTES) this.rejectQuote();
    else this.fieldState = UNQUOTED;
  }

  /** A field that has no name must be empty, or a value would be lost. */
  private checkUnnamed(): void {
    if (this.rules.uses[this.fieldCount - 1] !== 'ignored') this.hasUnnamedValue = true;
  }

  /** A doubled quote in a quoted field (RFC 4180, section 2.7) is read as its end and a new start. */
  private advanceOverQuote(): void {
    if (this.fieldState === UNQUOTED) this.rejectQuote();
    else this.fieldState = this.fieldState === QUOTED ? AFTER_QUOTES : QUOTED;
  }

  private rejectQuote(): void {
    this.error = 'has a quote within a field: quote the whole field, and double the quotes in it';
    this.fieldState = UNQUOTED;
  }

  private endLine(): void {
    if (this.fieldCount) this.endRecord();
    this.line += 1;
  }

  private endRecord(): void {
    this.endField();
    const error = this.error || this.findError();
    if (error) this.rowErrors.add(this.recordLine, [{ pointer: '#', detail: error }]);
    else this.output[this.length++] = LINE_FEED;
    if (error) this.length = this.recordStart;
    this.recordStart = this.length;
    this.fieldState = AT_START;
    this.fieldCount = 0;
    this.isAscii = true;
    this.hasUnnamedValue = false;
    this.error = '';
  }

  private findError(): string {
    const { uses } = this.rules;
    const lacksColumns = uses.slice(this.fieldCount).some((use) => typeof use === 'object');
    if (lacksColumns || (this.hasUnnamedValue && this.fieldCount > uses.length)) {
      return `has ${this.fieldCount} fields, and the header ${uses.length}`;
    }
    if (this.hasUnnamedValue)
      return 'has a value in a column without a name: name it in the first line, or choose columns with columns=';
    const record = this.output.subarray(this.recordStart, this.length);
    return this.isAscii || isUtf8(record) ? '' : NOT_UTF8;
  }
}
