import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';
import { isRead } from './route-rules.js';

/** The rows from `first` to `last`, counted from 0; to the end without `last`. */
export interface RowRange {
  first: number;
  last?: number;
}

const RANGE = /^(?:items=)?(\d{1,15})-(\d{0,15})$/;

/**
 * The rows that the header `Range` of a GET requests, as PostgREST reads it. Other units, and what is not
 * well-formed, are ignored (RFC 9110, section 14.2).
 * @throws {ProblemError} `range_not_satisfiable` if the range ends before it begins.
 */
export function rowRangeOf({ method, headers }: FastifyRequest): RowRange | undefined {
  const { range } = headers;
  if (range === undefined || !isRead(method)) return undefined;
  if ((headers['range-unit'] ?? 'items') !== 'items') return undefined;
  const [, start, end] = RANGE.exec(range) ?? [];
  if (start === undefined) return undefined;
  const [first, last] = [Number(start), end ? Number(end) : undefined];
  if (last === undefined || last >= first) return { first, last };
  throw new ProblemError(
    'range_not_satisfiable',
    `The range ${range} ends before it begins. Write the first row, a hyphen and the last row, as in 0-24.`,
  );
}
