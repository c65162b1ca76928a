const ZERO = 48;
/** One is written while the other one is filled. */
const MAX_FREE = 2;

/** A text of ASCII characters as bytes. */
export function toBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export interface Lines {
  bytes: Buffer;
  /** Call it when the bytes are written or lost: they may change afterwards. */
  release?: () => void;
}

/**
 * Puts lines together from prepared parts. Copying bytes costs a line less than joining texts, which are converted
 * afterwards, and leaves nothing to the garbage collector. The caller asks for room first.
 */
export class LineBuffer {
  private bytes: Buffer;
  private length = 0;
  /** Returned buffers. The memory of a new one is not in the caches of the processor, and not yet mapped. */
  private readonly free: Buffer[] = [];

  constructor(private readonly size: number) {
    this.bytes = Buffer.alloc(size);
  }

  get isEmpty(): boolean {
    return this.length === 0;
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

  /** Returns the lines, and begins again. */
  take(): Lines {
    const lines = this.bytes.subarray(0, this.length);
    this.length = 0;
    // a buffer for a few lines would be kept as long as they are
    if (lines.length < this.size / 2) return { bytes: Buffer.from(lines) };
    const taken = this.bytes;
    this.bytes = this.free.pop() ?? Buffer.alloc(this.size);
    return { bytes: lines, release: () => this.keep(taken) };
  }

  private keep(buffer: Buffer): void {
    if (this.free.length < MAX_FREE) this.free.push(buffer);
  }
}

function countDigits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count += 1;
  return count;
}
