import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply } from 'fastify';
import helmet from 'helmet';
import type { Settings } from '../config/settings.js';
import { responsesWith, type PreparedResponse } from './prepared-headers.js';
import { addRequestStep, endRequestSteps, prependStep } from './route-hooks.js';
import type { Page } from './route-rules.js';

/** What a page of another origin may read besides the body. */
const EXPOSED_HEADERS = [
  'Change-Range',
  'Consistency-Token',
  'Content-Range',
  'ETag',
  'Link',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];
const PREFLIGHT_SECONDS = 600;

/** What browsers may do with the answers of the API: nothing but read them. */
const API_POLICY = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
/** What the pages of the service may do: nothing is loaded from another host. */
const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  connectSrc: ["'self'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  imgSrc: ["'self'", 'data:'],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
};
const POLICIES: Record<Page, Record<string, string[]>> = {
  // text never becomes a script: https://www.w3.org/TR/trusted-types/
  own: { ...PAGE_POLICY, requireTrustedTypesFor: ["'script'"], trustedTypes: ["'none'"] },
  // it sets styles of elements
  'swagger-ui': { ...PAGE_POLICY, styleSrc: ["'self'", "'unsafe-inline'"] },
};

/**
 * The class of the responses of `node:http`: they begin with the headers that tell browsers what they may do, as helmet
 * sets them. Its plugin for Fastify makes them for each request, which costs more than a small request.
 */
export function securedResponses({ corsOrigins }: Settings) {
  return responsesWith(headersOf(API_POLICY, corsOrigins.length > 0));
}

/** Sends the headers of pages in place of those of `securedResponses`. Call it before the routes are registered. */
export function sendPageHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const page = route.config?.page;
    if (!page) return;
    const preparedHeaders = headersOf(POLICIES[page], false);
    const forPage: Pick<PreparedResponse, 'preparedHeaders'> = { preparedHeaders };
    prependStep(route, (_, { raw }) => void Object.assign(raw, forPage));
  });
}

/** Lets pages of the allowed origins use the API (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export async function allowOrigins(
  fastify: FastifyInstance,
  { corsOrigins }: Settings,
): Promise<void> {
  if (!corsOrigins.length) return;
  const options = {
    origin: corsOrigins.includes('*') ? '*' : corsOrigins,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
  };
  await fastify.register(cors, {
    // other requests with OPTIONS are answered with `Allow`
    delegator: ({ headers }, done) =>
      done(null, { ...options, preflight: 'access-control-request-method' in headers }),
  });
  // so that what they refuse has the headers of the plugin
  endRequestSteps(fastify);
}

/** Adds to `Vary`, which other hooks may have set. */
export function addVary(reply: FastifyReply, names: string): void {
  const others = reply.getHeader('Vary');
  reply.header('Vary', others === undefined ? names : `${String(others)}, ${names}`);
}

/** Lines of the head of a response. */
function headersOf(directives: Record<string, string[]>, isShared: boolean): string {
  let lines = '';
  const setHeader = (name: string, value: string) => void (lines += `${name}: ${value}\r\n`);
  const response = { setHeader, removeHeader: () => undefined };
  const middleware = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    crossOriginResourcePolicy: { policy: isShared ? 'cross-origin' : 'same-origin' },
    // the proxy may serve other names too: see `requireTls`
    strictTransportSecurity: false,
    // for pages, and for browsers that are no longer in use
    crossOriginOpenerPolicy: directives !== API_POLICY,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  middleware({} as never, response as never, (error) => {
    if (error) throw error as Error;
  });
  return lines;
}

/** Browsers that came over TLS come over TLS from now on (RFC 6797). Only a proxy knows how they came. */
export function requireTls(fastify: FastifyInstance, { trustProxy }: Settings): void {
  if (!trustProxy) return;
  addRequestStep(fastify, ({ protocol }, reply) => {
    if (protocol === 'https') reply.header('strict-transport-security', 'max-age=31536000');
  });
}
