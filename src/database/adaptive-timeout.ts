const WEIGHT = 1 / 8;
/** A response may take so many times as long as usual. */
const TOLERANCE = 4;

/**
 * A time limit that follows how long responses take, as TCP's does (RFC 6298): a machine under load
 * answers later, and is not dead. One timeout is the fault of one connection; after two in a row the limit
 * is doubled, and gets shorter again step by step.
 */
export class AdaptiveTimeout {
  private smoothedMs = 0;
  private timeoutsInARow = 0;

  constructor(
    private readonly minMs: number,
    private readonly maxMs: number,
  ) {}

  get ms(): number {
    return Math.min(Math.max(this.minMs, TOLERANCE * this.smoothedMs), this.maxMs);
  }

  /** A response took so long. */
  note(elapsedMs: number): void {
    this.timeoutsInARow = 0;
    this.smoothedMs += WEIGHT * (elapsedMs - this.smoothedMs);
  }

  /** There was no response in time. */
  noteTimeout(): void {
    this.timeoutsInARow += 1;
    if (this.timeoutsInARow > 1) this.smoothedMs = (2 * this.ms) / TOLERANCE;
  }
}
