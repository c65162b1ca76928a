import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type { RouteRules } from '../http/route-rules.js';

/** A route as it was registered. */
export interface ApiRoute {
  method: string;
  /** With parameters as Fastify writes them, as in `/marathon/:id`. */
  url: string;
  rules: RouteRules;
}

/** The routes of the service that are described for clients. */
@Injectable()
export class ApiRoutes {
  readonly all: ApiRoute[] = [];

  /** Call it before the routes are registered. */
  collect(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url, config }) => {
      if (method === 'HEAD' || !config?.operation) return;
      this.all.push({ method: String(method).toLowerCase(), url, rules: config });
    });
  }
}
