import type { IncomingMessage } from 'node:http';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessControl } from './access/access-control.js';
import { acceptConnectionsFirst } from './http/accept-first.js';
import { limitRequests } from './access/rate-limits.js';
import type { Logger } from 'pino';
import type { Settings } from './config/settings.js';
import { SETTINGS } from './config/settings.module.js';
import { ApiRoutes } from './documentation/api-routes.js';
import { answerOtherMethods, collectAllowedMethods } from './http/allowed-methods.js';
import { answerClientError } from './http/client-errors.js';
import { nextRequestNumber } from './http/request-id.js';
import { toOriginForm } from './http/request-target.js';
import { addBodyParsers } from './http/request-bodies.js';
import { checkRequests } from './http/request-checks.js';
import { setRequestDeadline } from './http/request-deadline.js';
import { keepReadsConsistent } from './http/read-consistency.js';
import { allowOrigins, requireTls, sendPageHeaders } from './http/response-headers.js';
import { enforceRouteRules } from './http/route-rules.js';
import { guardServer, serverOptions } from './http/server-options.js';
import { ReadServers } from './journal/read-servers.js';
import { setQueryLimits } from './lists/query-limits.js';
import { withoutSupabasePrefix } from './postgrest/postgrest-clients.js';
import { removeAbandonedUploads } from './http/upload.js';
import { separateAdminAddresses } from './operations/admin-port.js';
import { observeRequests } from './operations/request-observer.js';
import { traceRequests } from './operations/tracing.js';
import { ProblemFilter, rejectRequest } from './problems/problem.filter.js';

/** Makes the Fastify adapter. `/marathon` and `/marathon/` are the same address. */
export function makeAdapter(settings: Settings): FastifyAdapter {
  const { trustProxy } = settings;
  const http = serverOptions(settings);
  return new FastifyAdapter({
    // for Express middleware, which is not used here
    skipMiddie: true,
    // an id may have any type; Fastify declares texts
    genReqId: nextRequestNumber as () => never,
    rewriteUrl: (request: IncomingMessage) => withoutSupabasePrefix(toOriginForm(request)),
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: rejectRequest,
    clientErrorHandler: answerClientError,
    http,
    // Fastify would set its own one
    requestTimeout: http.requestTimeout,
    trustProxy: typeof trustProxy === 'number' ? trustHops(trustProxy) : trustProxy,
  });
}

/** Trusts that many proxies in front of the service, wherever they are. */
function trustHops(count: number) {
  return (_address: string, hop: number) => hop < count;
}

/** Configures everything between the network and the controllers, for the service and for its tests. */
export async function configureApp(
  app: NestFastifyApplication,
  log: Logger,
): Promise<NestFastifyApplication> {
  const settings: Settings = app.get(SETTINGS);
  const fastify = app.getHttpAdapter().getInstance();
  guardServer(fastify.server, settings);
  acceptConnectionsFirst(fastify);
  observeRequests(fastify, settings, log);
  await traceRequests(fastify, settings);
  separateAdminAddresses(fastify, settings);
  setRequestDeadline(fastify, settings.deadlineMs);
  setQueryLimits(fastify, settings.limits);
  keepReadsConsistent(fastify, app.get(ReadServers));
  sendPageHeaders(fastify);
  requireTls(fastify, settings);
  checkRequests(fastify, settings);
  await allowOrigins(fastify, settings);
  const access = app.get(AccessControl);
  limitRequests(fastify, settings.limits, (request) => access.findKeyId(request));
  const allowed = collectAllowedMethods(fastify);
  app.get(ApiRoutes).collect(fastify);
  enforceRouteRules(fastify);
  access.enforce(fastify);
  addBodyParsers(fastify, settings.limits);
  await removeAbandonedUploads();
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  answerOtherMethods(fastify, allowed);
  return app;
}
