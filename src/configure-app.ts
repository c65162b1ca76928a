import { randomUUID } from 'node:crypto';
import { Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { answerOtherMethods, collectAllowedMethods } from './http/allowed-methods.js';
import { readBodies } from './http/bodies.js';
import { InputPipe } from './http/input.pipe.js';
import { KnownParametersGuard } from './http/known-parameters.guard.js';
import { MediaTypeGuard } from './http/media-types.js';
import { ProblemFilter, refuseRequest } from './http/problem.filter.js';

/** `/marathon` and `/marathon/` are one place; a request that came in before the end is answered. */
export function makeAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    // for Express's middleware, of which there is none here
    skipMiddie: true,
    // by what a write is known that is done again because its connection died
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    frameworkErrors: refuseRequest,
  });
}

/** Everything between the network and the controllers, for the service and for the tests alike. */
export async function configureApp(app: NestFastifyApplication): Promise<NestFastifyApplication> {
  const fastify = app.getHttpAdapter().getInstance();
  const allowed = collectAllowedMethods(fastify);
  const reflector = app.get(Reflector);
  readBodies(fastify);
  app.useGlobalFilters(new ProblemFilter());
  app.useGlobalGuards(new KnownParametersGuard(), new MediaTypeGuard(reflector));
  app.useGlobalPipes(new InputPipe());
  await app.init();
  answerOtherMethods(fastify, allowed);
  return app;
}
