const ZERO = 48;

/** A text of ASCII characters as bytes. */
export function toBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/**
 * Puts lines together from prepared parts. Copying bytes costs a line less than joining texts, which are converted
 * afterwards, and leaves nothing to the garbage collector. The caller asks for room first.
 */
export class LineBuffer {
  private readonly bytes: Buffer;
  private length = 0;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  hasRoom(length: number): boolean {
    return this.length + length <= this.bytes.length;
  }

  add(part: Buffer): void {
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  addByte(byte: number): void {
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  addText(text: string): void {
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  /** `value` is an integer from 0. */
  addInteger(value: number): void {
    const end = this.length + countDigits(value);
    let remaining = value;
    for (let at = end - 1; at >= this.length; at -= 1) {
      this.bytes[at] = ZERO + (remaining % 10);
      remaining = Math.floor(remaining / 10);
    }
    this.length = end;
  }

  /** Returns a copy of the lines, and begins again. */
  take(): Buffer {
    const lines = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    return lines;
  }
}

function countDigits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count += 1;
  return count;
}
