import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { ProblemError } from '../problems/problems.js';

const ANY_TYPE = new Set([undefined, '*/*']);

/**
 * Chooses the media type that the client prefers, by `Accept` (RFC 9110, section 12.5.1). The first one
 * is the default.
 * @throws {ProblemError} `not_acceptable` if the client accepts none of them.
 */
export function negotiate<Name extends string>(
  { raw }: FastifyRequest,
  mediaTypes: Record<Name, { mediaType: string }>,
): Name {
  const names = Object.keys(mediaTypes) as Name[];
  if (ANY_TYPE.has(raw.headers.accept)) return names[0]!;
  const offered = names.map((name) => mediaTypes[name].mediaType);
  const preferred = new Negotiator(raw).mediaType(offered);
  const name = names.find((each) => mediaTypes[each].mediaType === preferred);
  if (name) return name;
  throw new ProblemError(
    'not_acceptable',
    `${raw.headers.accept} is not available here. Accept one of ${[...new Set(offered)].join(', ')}.`,
  );
}
