import { NotAcceptableException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';

const NO_WISH = new Set([undefined, '*/*']);

/**
 * Finds what a client wants of what there is, by `Accept` (RFC 9110, section 12.5.1); the first is for
 * who does not mind.
 * @throws {NotAcceptableException} where it wants nothing of that.
 */
export function negotiate<Name extends string>(
  { raw }: FastifyRequest,
  mediaTypes: Record<Name, { mediaType: string }>,
): Name {
  const names = Object.keys(mediaTypes) as Name[];
  if (NO_WISH.has(raw.headers.accept)) return names[0]!;
  const offered = names.map((name) => mediaTypes[name].mediaType);
  const wanted = new Negotiator(raw).mediaType(offered);
  const name = names.find((each) => mediaTypes[each].mediaType === wanted);
  if (name) return name;
  throw new NotAcceptableException(
    `There is no ${raw.headers.accept} here, but ${offered.join(', ')}.`,
  );
}
