import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config/settings.js';
import { invalidParameters } from '../http/validation.js';
import type { Condition } from '../query/conditions.js';
import type { ListQuery } from '../query/list-query.js';

type QueryLimits = Pick<Limits, 'conditions' | 'conditionDepth'>;

declare module 'fastify' {
  interface FastifyInstance {
    queryLimits: QueryLimits;
  }
}

/** Sets how many conditions a list may have, and how deeply they may be nested. */
export function setQueryLimits(fastify: FastifyInstance, limits: Limits): void {
  fastify.decorate('queryLimits', limits);
}

/** @throws {ProblemError} `invalid_parameter` if the query has too many conditions, or too deep ones. */
export function assertWithinLimits({ where }: ListQuery, limits: QueryLimits): void {
  if (!where.conditions.length) return;
  const { count, depth } = measure(where);
  // the conditions of separate parameters are one group more
  if (count <= limits.conditions && depth - 1 <= limits.conditionDepth) return;
  const detail = `has ${count} conditions, nested ${depth - 1} deep; at most ${limits.conditions} and ${limits.conditionDepth} are allowed here`;
  throw invalidParameters([{ parameter: largestOf(where.conditions), detail }]);
}

/** The parameter with the most conditions. */
function largestOf(conditions: Condition[]): string {
  const [largest] = conditions.toSorted((a, b) => measure(b).count - measure(a).count);
  if (largest!.kind === 'comparison') return largest!.column.name;
  return `${largest!.negated ? 'not.' : ''}${largest!.kind}`;
}

function measure(condition: Condition): { count: number; depth: number } {
  if (condition.kind === 'comparison') return { count: 1, depth: 0 };
  const members = condition.conditions.map(measure);
  return {
    count: members.reduce((sum, member) => sum + member.count, 0),
    depth: 1 + Math.max(0, ...members.map(({ depth }) => depth)),
  };
}
