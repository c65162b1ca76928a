import { BadRequestException } from '@nestjs/common';
import type { Fault } from '../http/input.js';

const MOST_SHOWN = 1000;

/** A row that cannot be stored, and why. A JSON array's rows have their place, from 1, for a line. */
export interface RejectedRow {
  line: number;
  faults: Fault[];
}

/** What was sent cannot be read as rows at all. */
export class RowsRefused extends BadRequestException {}

/** Rows were rejected, and so none was stored. */
export class RowsRejected extends BadRequestException {
  constructor(
    readonly rows: RejectedRow[],
    readonly count: number,
  ) {
    super({
      detail: `${count} ${count === 1 ? 'row was' : 'rows were'} rejected; nothing was stored.`,
      errors: rows.flatMap(({ line, faults }) => faults.map((fault) => ({ line, ...fault }))),
      rejected: count,
    });
    this.message = (this.getResponse() as { detail: string }).detail;
  }
}

/** Gathers rejected rows: all are counted, the first thousand kept. */
export class Rejections {
  count = 0;
  private rows: RejectedRow[] = [];

  add(line: number, faults: Fault[]): void {
    this.count += 1;
    if (this.rows.length < MOST_SHOWN) this.rows.push({ line, faults });
  }

  /** Adds those that were found elsewhere: `count` in all, of which `rows` are the first. */
  addAll(rows: RejectedRow[], count: number): void {
    this.count += count;
    this.rows = [...this.rows, ...rows].sort((a, b) => a.line - b.line).slice(0, MOST_SHOWN);
  }

  /** @throws {RowsRejected} where there is one. */
  throwIfAny(): void {
    if (this.count) throw new RowsRejected(this.rows, this.count);
  }
}
