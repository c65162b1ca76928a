/** What is wrong with one query parameter, and where in it, counted in characters from 1. */
export interface QueryFault {
  parameter: string;
  detail: string;
  position?: number;
}

/** The question cannot be understood as it stands. */
export class QueryRefused extends Error {
  constructor(readonly faults: QueryFault[]) {
    super(faults.map(({ parameter, detail }) => `${parameter}: ${detail}`).join('; '));
  }
}

/** One parameter cannot be read, from `at` on. */
export class Misread extends Error {
  constructor(
    detail: string,
    readonly at?: number,
  ) {
    super(detail);
  }
}
