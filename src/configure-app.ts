import { randomUUID } from 'node:crypto';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { environment } from './environment.js';
import { answerOtherMethods, collectAllowedMethods } from './http/allowed-methods.js';
import { readBodies } from './http/bodies.js';
import { answerClientError, answerUnusualRequests } from './http/client-errors.js';
import { checkRequests } from './http/request-checks.js';
import { ProblemFilter, refuseRequest } from './http/problem.filter.js';
import { removeAbandonedUploads } from './http/rows-body.js';
import { enforceRouteRules } from './http/route-rules.js';

/** `/marathon` and `/marathon/` are one place; a request that came in before the end is answered. */
export function makeAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    // for Express's middleware, of which there is none here
    skipMiddie: true,
    genReqId: makeRequestIds(),
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: refuseRequest,
    clientErrorHandler: answerClientError,
    // a request without Host is refused by a problem document, like any other
    http: { requireHostHeader: false },
  });
}

/**
 * By what a write is known that is done again because its connection died. Ids that resemble each other
 * stand side by side in the journal's index, which costs less than to look for a place for each.
 */
function makeRequestIds(): () => string {
  const instance = randomUUID();
  let count = 0;
  return () => `${instance}/${(count += 1)}`;
}

/** Everything between the network and the controllers, for the service and for the tests alike. */
export async function configureApp(app: NestFastifyApplication): Promise<NestFastifyApplication> {
  const fastify = app.getHttpAdapter().getInstance();
  answerUnusualRequests(fastify.server);
  checkRequests(fastify, environment.allowedHosts);
  const allowed = collectAllowedMethods(fastify);
  enforceRouteRules(fastify);
  readBodies(fastify);
  await removeAbandonedUploads();
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  answerOtherMethods(fastify, allowed);
  return app;
}
