import { isUnknownMember, type ValidationIssue } from '../http/validation.js';
import { ProblemError } from '../problems/problems.js';

/** How many rejected rows are reported; all of them are counted. */
export const MAX_REPORTED_ROWS = 1000;

/** A row that cannot be stored. */
export interface RejectedRow {
  /** The line where it begins, from 1; the number of the element in a JSON array. */
  line: number;
  issues: ValidationIssue[];
}

/** An upload cannot be parsed as rows. Nothing was stored. */
export class InvalidUploadError extends ProblemError {
  constructor(detail: string) {
    super('invalid_upload', detail);
  }
}

/** Rows of an upload are invalid. Nothing was stored. */
export class InvalidRowsError extends ProblemError {
  constructor(
    readonly rows: RejectedRow[],
    readonly count: number,
  ) {
    const summary = `${count} ${count === 1 ? 'row was' : 'rows were'} rejected; nothing was stored.`;
    const hasUnknown = rows.some(({ issues }) => issues.some(isUnknownMember));
    const detail = hasUnknown ? `${summary} ${CHOOSE_MEMBERS}` : summary;
    const errors = rows.flatMap(({ line, issues }) => issues.map((issue) => ({ line, ...issue })));
    super('invalid_rows', detail, { errors, rejected: count });
  }
}

const CHOOSE_MEMBERS = 'To read some members only, name them with columns=.';

/** Collects the rejected rows of an upload. */
export class RowErrors {
  private count = 0;
  private rows: RejectedRow[] = [];

  add(line: number, issues: ValidationIssue[]): void {
    this.count += 1;
    if (this.rows.length < MAX_REPORTED_ROWS) this.rows.push({ line, issues });
  }

  /** Adds `count` rejected rows, of which `rows` are the first. */
  addAll(rows: RejectedRow[], count: number): void {
    this.count += count;
    this.rows = [...this.rows, ...rows].sort((a, b) => a.line - b.line).slice(0, MAX_REPORTED_ROWS);
  }

  /** @throws {InvalidRowsError} if a row was rejected. */
  throwIfAny(): void {
    if (this.count) throw new InvalidRowsError(this.rows, this.count);
  }
}

/** An issue of the element at `pointer`, seen from the whole document. */
export function issueAt(pointer: string, issue: ValidationIssue): ValidationIssue {
  return { pointer: pointer + issue.pointer.slice(1), detail: issue.detail };
}
