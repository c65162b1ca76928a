/** What is wrong with one query parameter; `position` counts its characters from 1. */
export interface QueryIssue {
  parameter: string;
  detail: string;
  position?: number;
}

/** The query parameters of a list are invalid. */
export class InvalidQueryError extends Error {
  override readonly name = 'InvalidQueryError';

  constructor(readonly issues: QueryIssue[]) {
    super(issues.map(({ parameter, detail }) => `${parameter}: ${detail}`).join('; '));
  }
}

/** One parameter cannot be parsed. */
export class ParseError extends Error {
  override readonly name = 'ParseError';

  constructor(
    detail: string,
    /** The index of the first character that makes no sense. */
    readonly index?: number,
  ) {
    super(detail);
  }
}
