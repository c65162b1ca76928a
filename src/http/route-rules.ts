import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problems.js';
import type { ApiOperation, ApiParameter } from './api-types.js';
import { parseContentType } from './media-types.js';
import type { Role } from './principal.js';
import { prependStep } from './route-hooks.js';

export const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
export const ROW_TYPES = ['text/csv', 'application/x-ndjson'];
/** A form with one file, as browsers and `curl -F` send it. */
export const FORM_TYPE = 'multipart/form-data';

/** The pages of the service differ in what browsers allow them: `own` is the one of this project. */
export type Page = 'own' | 'swagger-ui';

/** What a route accepts. Nest passes it to Fastify when it registers the route. */
export interface RouteRules {
  /** The media types of its body. */
  consumes?: string[];
  acceptsParameters?: boolean;
  /** Who may use it: see `requiredRoleOf`. */
  requiredRole?: Role | 'anyone';
  operation?: ApiOperation;
  /** What its handler reads. */
  parameters?: ApiParameter[];
  /** Which page the answer is, if browsers show it. */
  page?: Page;
  /** Whether the route only answers the methods that the address does not support. */
  isCatchAll?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig extends RouteRules {}
}

const rulesByHandler = new WeakMap<object, RouteRules>();

/** The rules of a handler, to add to. */
export function rulesOf(handler: object): RouteRules {
  const rules = rulesByHandler.get(handler) ?? {};
  rulesByHandler.set(handler, rules);
  RouteConfig(rules)(handler as () => void);
  return rules;
}

/** Names the media types that a route accepts. The default is `application/json`. */
export const Consumes =
  (...mediaTypes: string[]): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).consumes = mediaTypes);

/** Names the role that a route requires. `anyone` is not asked for a key, however access is set. */
export const RequiresRole =
  (role: Role | 'anyone'): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).requiredRole = role);

/** The role that a route requires. The default is `reader` for reads, and `writer` for other methods. */
export function requiredRoleOf(methods: string[], { requiredRole }: RouteRules): Role | 'anyone' {
  return requiredRole ?? (methods.every(isRead) ? 'reader' : 'writer');
}

/** Whether a method reads a resource. */
export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Marks a route whose answer is a page for browsers. */
export const IsPage =
  (page: Page): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).page = page);

/** Marks a route that ignores its query parameters: a page reads them. */
export const AcceptsParameters =
  (): MethodDecorator =>
  (_target, _name, { value }) =>
    void (rulesOf(value as object).acceptsParameters = true);

/** Marks the route of a parameter decorator that reads query parameters. */
export const acceptParameters: ParameterDecorator = (target, name) =>
  void (rulesOf((target as Record<string | symbol, object>)[name!]!).acceptsParameters = true);

/**
 * Rejects what a route does not accept, before its body is read: other media types, and query parameters
 * if it has none, so that a mistyped filter never returns everything. Call it before the routes are
 * registered.
 */
export function enforceRouteRules(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { consumes = [JSON_TYPES[0]!], acceptsParameters, isCatchAll } = route.config ?? {};
    if (isCatchAll) return;
    prependStep(route, (request) => {
      if (!acceptsParameters) rejectParameters(request);
      const { 'content-type': type, 'content-encoding': encoding } = request.headers;
      if (type !== undefined) rejectOtherTypes(type, consumes);
      if (encoding !== undefined) rejectEncoding(encoding);
    });
  });
}

function rejectParameters({ query }: FastifyRequest): void {
  const names = Object.keys(query as object);
  if (!names.length) return;
  const errors = names.map((parameter) => ({ parameter, detail: 'is not known here' }));
  throw new ProblemError('unknown_parameter', 'This address takes no query parameters.', {
    errors,
  });
}

function rejectOtherTypes(header: string, accepted: string[]): void {
  if (accepted.includes(header)) return;
  const { mediaType, charset } = parseContentType(header);
  if (!accepted.includes(mediaType)) {
    throw unsupported(
      `Send ${accepted.join(' or ')} here, not ${mediaType}. For JSON, add the header Content-Type: application/json.`,
    );
  }
  // rows are decoded when they are parsed; JSON is UTF-8 (RFC 8259, section 8.1)
  if (ROW_TYPES.includes(mediaType) || ['utf-8', 'utf8', undefined].includes(charset)) return;
  throw unsupported(`Send UTF-8 here, not ${charset}.`);
}

function rejectEncoding(encoding: string): void {
  if (encoding === 'identity') return;
  throw unsupported(`Send the body without compression, not as ${encoding}.`);
}

function unsupported(detail: string): ProblemError {
  return new ProblemError('unsupported_media_type', detail);
}
