/** The weight of a new measurement. */
const WEIGHT = 1 / 8;
/** A response may take this many times as long as usual. */
const TOLERANCE = 4;

interface Options {
  /** Whether two timeouts in a row double the limit. The default is true. */
  growsOnTimeout?: boolean;
}

/**
 * A time limit that follows the measured response times, like that of TCP (RFC 6298): a busy machine
 * responds later and is not dead. After two timeouts in a row the limit is doubled; measurements shorten
 * it again step by step.
 */
export class AdaptiveTimeout {
  private smoothedMs = 0;
  private timeoutsInARow = 0;

  constructor(
    private readonly minMs: number,
    private readonly maxMs: number,
    private readonly options: Options = {},
  ) {}

  get ms(): number {
    return Math.min(Math.max(this.minMs, TOLERANCE * this.smoothedMs), this.maxMs);
  }

  /** Records how long a response took. */
  note(elapsedMs: number): void {
    this.timeoutsInARow = 0;
    this.smoothedMs += WEIGHT * (elapsedMs - this.smoothedMs);
  }

  /** Records that there was no response in time. */
  noteTimeout(): void {
    if (this.options.growsOnTimeout === false) return;
    this.timeoutsInARow += 1;
    if (this.timeoutsInARow > 1) this.smoothedMs = (2 * this.ms) / TOLERANCE;
  }
}
