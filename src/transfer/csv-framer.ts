import { isUtf8 } from 'node:buffer';
import { RowsRefused, type Rejections } from './rejections.js';

const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [0x0a, 0x0d, 0x22];
const LARGEST_RECORD_BYTES = 1_048_576;
const LONGEST_LINE_NUMBER = 16;

/** Where in a field the reader is: at its start, in it, in its quotes, or after their end. */
const [START, PLAIN, QUOTED, CLOSED] = [0, 1, 2, 3];

/**
 * Finds where CSV's records end, counts their fields and puts each record's line in front; the fields
 * themselves are left to PostgreSQL, which reads CSV several times as fast as JavaScript does.
 *
 * What is wrong with a record's form is rejected here, because PostgreSQL would stop at the first such
 * record and not tell of the others.
 */
export class CsvFramer {
  private readonly delimiterByte: number;
  private out = Buffer.alloc(0);
  private length = 0;
  private recordStart = 0;
  private line = 1;
  private recordLine = 1;
  private place = START;
  private fields = 0;
  private isAscii = true;
  private isAfterReturn = false;
  private fault = '';

  constructor(
    private readonly delimiter: string,
    private readonly fieldCount: number,
    private readonly rejections: Rejections,
  ) {
    this.delimiterByte = delimiter.charCodeAt(0);
  }

  /** Returns the records that this chunk completes. The first begins with the end of line of the header. */
  push(chunk: Buffer): Buffer {
    this.makeRoom(chunk.length);
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index]!;
      if (this.place !== QUOTED && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) {
        if (byte === CARRIAGE_RETURN || !this.isAfterReturn) this.endLine();
        this.isAfterReturn = byte === CARRIAGE_RETURN;
        continue;
      }
      this.isAfterReturn = false;
      if (!this.fields) this.beginRecord(chunk.length - index);
      this.out[this.length++] = byte;
      this.step(byte);
    }
    return this.out.subarray(0, this.recordStart);
  }

  /** Returns the last record where no end of line came after it. */
  end(): Buffer {
    if (this.place === QUOTED) this.fault = 'has a quote that is never closed';
    this.place = START;
    return this.push(Buffer.from('\n'));
  }

  /** Keeps the record that the last chunk broke off in. */
  private makeRoom(size: number): void {
    const begun = this.out.subarray(this.recordStart, this.length);
    if (begun.length > LARGEST_RECORD_BYTES) {
      throw new RowsRefused(
        `Line ${this.recordLine} begins a row of more than 1 MiB: is a quote never closed?`,
      );
    }
    this.out = Buffer.allocUnsafe(begun.length + 2 * size + LONGEST_LINE_NUMBER);
    this.out.set(begun);
    this.length = begun.length;
    this.recordStart = 0;
  }

  private beginRecord(bytesToCome: number): void {
    const needed = this.length + bytesToCome + LONGEST_LINE_NUMBER;
    if (needed > this.out.length) this.out = Buffer.concat([this.out], 2 * needed);
    this.length += this.out.write(this.line + this.delimiter, this.length, 'latin1');
    this.recordLine = this.line;
    this.fields = 1;
  }

  private step(byte: number): void {
    if (byte >= 0x80) this.isAscii = false;
    if (byte === 0) this.fault = 'has a NUL character';
    if (byte === QUOTE) this.stepOverQuote();
    else if (this.place === QUOTED) this.line += byte === LINE_FEED ? 1 : 0;
    else if (byte === this.delimiterByte) this.stepToNextField();
    else if (this.place === CLOSED) this.misquoted();
    else this.place = PLAIN;
  }

  private stepToNextField(): void {
    this.fields += 1;
    this.place = START;
  }

  /** A quote in quotes is doubled (RFC 4180, section 2.7): the first seems to close, the second opens. */
  private stepOverQuote(): void {
    if (this.place === PLAIN) this.misquoted();
    else this.place = this.place === QUOTED ? CLOSED : QUOTED;
  }

  private misquoted(): void {
    this.fault = 'has a quote within a field: quote the whole field, and double the quotes in it';
    this.place = PLAIN;
  }

  private endLine(): void {
    if (this.fields) this.endRecord();
    this.line += 1;
  }

  private endRecord(): void {
    const fault = this.fault || this.findFault();
    if (fault) this.rejections.add(this.recordLine, [{ pointer: '#', detail: fault }]);
    else this.out[this.length++] = LINE_FEED;
    if (fault) this.length = this.recordStart;
    this.recordStart = this.length;
    this.place = START;
    this.fields = 0;
    this.isAscii = true;
    this.fault = '';
  }

  private findFault(): string {
    if (this.fields !== this.fieldCount) {
      return `has ${this.fields} fields, and the header ${this.fieldCount}`;
    }
    const isReadable = this.isAscii || isUtf8(this.out.subarray(this.recordStart, this.length));
    return isReadable ? '' : 'is not UTF-8: save the file in that encoding';
  }
}
