import { write, writeSync } from 'node:fs';

/** While nothing can be written, what is more than this is lost: keeping all of it would take all memory. */
const MAX_WAITING_BYTES = 16_777_216;
/** A pipe whose reader is slower than the log. */
const BUSY_INTERVAL_MS = 5;
const FAILURE_INTERVAL_MS = 1000;
const EXIT_TIMEOUT_MS = 1000;

type SystemError = NodeJS.ErrnoException;

/**
 * Writes the log to a file descriptor, in order. A full disk and a reader that does not read cost lines, and no
 * answers: the lines wait, and are written when that is possible again.
 *
 * `sonic-boom`, the output of pino, stops the process for ever if the disk is full: the error ends the process, whose
 * end waits until the lines are written.
 */
export class LogOutput {
  private readonly waiting: Buffer[] = [];
  private waitingBytes = 0;
  /** Until the write that was begun is done, or may be tried again. */
  private isBusy = false;
  private failure?: SystemError;
  private lostBytes = 0;

  /** `report` is called when writing fails, and when nothing waits any more after lines were late or lost. */
  constructor(
    private readonly fd: number,
    private readonly report: (message: string) => void,
  ) {}

  /** Takes whole lines. Bytes that are passed must not be changed afterwards. */
  write(lines: string | Buffer): void {
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    if (this.waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.lostBytes += bytes.length;
      return;
    }
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.writeNext();
  }

  /** Call it when the process ends. Lines that cannot be written within a second are lost, which is reported. */
  flushSync(): void {
    const endsAt = Date.now() + EXIT_TIMEOUT_MS;
    let canContinue = true;
    while (canContinue && this.waiting.length && Date.now() < endsAt)
      canContinue = this.writeNextSync();
    if (this.waiting.length) this.report(`${this.waitingBytes} bytes of the log were lost.`);
  }

  /** Returns false if writing failed for another reason than a slow reader. */
  private writeNextSync(): boolean {
    const bytes = this.waiting.shift()!;
    try {
      this.keepRemaining(bytes, writeSync(this.fd, bytes));
      return true;
    } catch (error) {
      this.waiting.unshift(bytes);
      return isSlowReader(error as SystemError);
    }
  }

  private writeNext(): void {
    if (this.isBusy) return;
    const bytes = this.waiting.shift();
    if (!bytes) return;
    this.isBusy = true;
    write(this.fd, bytes, (error, written) => {
      this.keepRemaining(bytes, written);
      if (error) this.retry(error);
      else this.goOn();
    });
  }

  private keepRemaining(bytes: Buffer, written: number): void {
    this.waitingBytes -= written;
    if (written < bytes.length) this.waiting.unshift(bytes.subarray(written));
  }

  private retry(error: SystemError): void {
    if (!isSlowReader(error)) this.noteFailure(error);
    const delayMs = isSlowReader(error) ? BUSY_INTERVAL_MS : FAILURE_INTERVAL_MS;
    setTimeout(() => this.goOn(), delayMs).unref();
  }

  private noteFailure(error: SystemError): void {
    if (error.code === this.failure?.code) return;
    this.failure = error;
    this.report(`The log cannot be written: ${error.message}. The service continues without.`);
  }

  private goOn(): void {
    this.isBusy = false;
    if (this.waiting.length) this.writeNext();
    else this.reportEnd();
  }

  private reportEnd(): void {
    if (!this.failure && !this.lostBytes) return;
    this.report(`The log is written again. ${this.lostBytes} bytes of it were lost.`);
    this.failure = undefined;
    this.lostBytes = 0;
  }
}

function isSlowReader({ code }: SystemError): boolean {
  return code === 'EAGAIN';
}
