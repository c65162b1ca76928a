import { BadRequestException, UnsupportedMediaTypeException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
export const ROW_TYPES = ['text/csv', 'application/x-ndjson'];

/** What a route takes. Nest hands it to Fastify when it registers the route. */
interface RouteRules {
  /** The media types that it reads. */
  consumes?: string[];
  takesParameters?: boolean;
  /** Whether it is there to refuse, whatever comes. */
  isRefusal?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteRules {}
}

const rules = new WeakMap<object, RouteRules>();

function rulesOf(handler: object): RouteRules {
  const known = rules.get(handler) ?? {};
  rules.set(handler, known);
  RouteConfig(known)(handler as () => void);
  return known;
}

/** Names the media types a route reads; without it, a route reads `application/json`. */
export const Consumes =
  (...mediaTypes: string[]): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).consumes = mediaTypes);

/** For decorators of parameters that are read from the query. */
export const takeParameters: ParameterDecorator = (target, name) =>
  void (rulesOf((target as Record<string | symbol, object>)[name!]!).takesParameters = true);

/**
 * Refuses what a route does not take before its body is read: a media type, since a merge patch is no
 * new marathon, and query parameters where it has none, so that a mistyped filter never returns
 * everything. Call before the routes are registered.
 */
export function enforceRouteRules(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { consumes = [JSON_TYPES[0]!], takesParameters, isRefusal } = route.config ?? {};
    if (isRefusal) return;
    route.onRequest = (request, _, done) => {
      if (!takesParameters) refuseParameters(request);
      const { 'content-type': type, 'content-encoding': encoding } = request.headers;
      if (type !== undefined) refuseOtherTypes(type, consumes);
      if (encoding !== undefined) refuseEncoding(encoding);
      done();
    };
  });
}

function refuseParameters({ query }: FastifyRequest): void {
  const names = Object.keys(query as object);
  if (!names.length) return;
  throw new BadRequestException({
    detail: 'This address takes no query parameters.',
    errors: names.map((parameter) => ({ parameter, detail: 'is not known here' })),
  });
}

function refuseOtherTypes(header: string, readable: string[]): void {
  if (readable.includes(header)) return;
  const [type = '', ...parameters] = header.toLowerCase().split(/\s*;\s*/);
  if (!readable.includes(type.trim())) {
    throw new UnsupportedMediaTypeException(`Send ${readable.join(' or ')} here, not ${type}.`);
  }
  const charset = parameters
    .find((text) => text.startsWith('charset='))
    ?.replaceAll(/charset=|"/g, '');
  if (['utf-8', 'utf8', undefined].includes(charset)) return;
  throw new UnsupportedMediaTypeException(`Send UTF-8 here, not ${charset}.`);
}

function refuseEncoding(encoding: string): void {
  if (encoding === 'identity') return;
  throw new UnsupportedMediaTypeException(`Send the body as it is, not as ${encoding}.`);
}
