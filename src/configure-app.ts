import { randomUUID } from 'node:crypto';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AccessControl } from './access/access-control.js';
import type { Settings } from './config/settings.js';
import { SETTINGS } from './config/settings.module.js';
import { answerOtherMethods, collectAllowedMethods } from './http/allowed-methods.js';
import { answerClientError, answerUnusualRequests } from './http/client-errors.js';
import { addBodyParsers } from './http/request-bodies.js';
import { checkRequests } from './http/request-checks.js';
import { setRequestDeadline } from './http/request-deadline.js';
import { enforceRouteRules } from './http/route-rules.js';
import { withoutSupabasePrefix } from './postgrest/postgrest-clients.js';
import { removeAbandonedUploads } from './http/upload.js';
import { ProblemFilter, rejectRequest } from './problems/problem.filter.js';

/** Makes the Fastify adapter. `/marathon` and `/marathon/` are the same address. */
export function makeAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    // for Express middleware, which is not used here
    skipMiddie: true,
    genReqId: makeRequestIds(),
    rewriteUrl: withoutSupabasePrefix,
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: rejectRequest,
    clientErrorHandler: answerClientError,
    // a request without Host gets a problem document, like any other invalid request
    http: { requireHostHeader: false },
  });
}

/**
 * The request id identifies a write that is retried. Ids of one instance begin with the same text, so that
 * they are neighbours in the journal's index, which makes inserting them cheaper.
 */
function makeRequestIds(): () => string {
  const instance = randomUUID();
  let count = 0;
  return () => `${instance}/${(count += 1)}`;
}

/** Configures everything between the network and the controllers, for the service and for its tests. */
export async function configureApp(app: NestFastifyApplication): Promise<NestFastifyApplication> {
  const settings: Settings = app.get(SETTINGS);
  const fastify = app.getHttpAdapter().getInstance();
  answerUnusualRequests(fastify.server);
  setRequestDeadline(fastify, settings.deadlineMs);
  checkRequests(fastify, settings.allowedHosts);
  const allowed = collectAllowedMethods(fastify);
  enforceRouteRules(fastify);
  app.get(AccessControl).enforce(fastify);
  addBodyParsers(fastify, settings.maxUploadMb);
  await removeAbandonedUploads();
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  answerOtherMethods(fastify, allowed);
  return app;
}
