import type { FastifyReply } from 'fastify';
import { confirmPreference } from '../http/preferences.js';
import { ProblemError } from '../problems/problems.js';
import type { ListRequest } from './list-request.js';
import type { ListResult } from './list-result.js';

/** The rows of a response, as far as they are known before they are sent. */
interface SentRows {
  /** Counted from 0. */
  start?: number;
  size?: number;
  /** The number of rows in the whole list. */
  total?: number;
}

/**
 * Sends which rows of a list the response has: RFC 9110, sections 14.4 and 15.3.7, with rows as the unit.
 * A list without a page, a range or a count gets no such header.
 * @throws {ProblemError} `range_not_satisfiable` if the offset is past the end.
 */
export function sendContentRange(
  reply: FastifyReply,
  request: ListRequest,
  result: ListResult,
): void {
  const { query, countMode } = request;
  if (countMode) confirmPreference(reply, `count=${countMode}`);
  else if (query.limit === undefined && !query.offset) return;
  const { start, size, total } = sentRows(request, result);
  if (size === undefined && total === undefined) return;
  const range = size && start !== undefined ? `${start}-${start + size - 1}` : '*';
  reply.header('Content-Range', `${range}/${total ?? '*'}`);
  const { offset } = query;
  if (result.counts && offset && offset >= result.counts.total) throw pastTheEnd(offset, total!);
  if (size !== undefined && total !== undefined && size < total) reply.code(206);
}

function sentRows({ query }: ListRequest, result: ListResult): SentRows {
  const { counts, rowCount, plannedCount } = result;
  const { limit = Infinity, offset, after } = query;
  if (!counts) {
    const size = limit ? rowCount : 0;
    // the plan is an estimate: there are at least the rows that are sent
    const total = plannedCount && Math.max(plannedCount, offset + (size ?? 0));
    return { start: after ? undefined : offset, size, total };
  }
  const { total, remaining } = counts;
  const exactSize = Math.min(limit, Math.max(0, remaining - offset));
  const start = after?.isBackward ? remaining - exactSize : total - remaining + offset;
  return { start, size: exactSize, total };
}

function pastTheEnd(offset: number, total: number): ProblemError {
  return new ProblemError(
    'range_not_satisfiable',
    `The offset ${offset} is past the end of the list: it has ${total} rows.`,
  );
}
