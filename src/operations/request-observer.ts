import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import onHeaders from 'on-headers';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { confirmPreference, SERVER_TIMING } from '../http/preferences.js';
import { logIdOf, receivedIdOf } from '../http/request-id.js';
import { measureRequest, type ObservedRequest } from './request-metrics.js';

type Observer = (observed: ObservedRequest) => void;

/**
 * Logs and measures each request when its answer is complete, or its client is gone. One listener does all:
 * each hook costs a small request about one percent.
 */
export function observeRequests(
  fastify: FastifyInstance,
  { metrics, trustProxy }: Settings,
  log: Logger,
): void {
  fastify.decorateRequest('traceId');
  if (trustProxy) fastify.addHook('onRequest', acceptRequestId);
  const observers: Observer[] = [];
  if (metrics === 'on') observers.push(measureRequest);
  if (log.isLevelEnabled('info')) observers.push((observed) => logRequest(log, observed));
  fastify.addHook('onRequest', (request, reply, done) => {
    const startedAt = performance.now();
    if (request.headers.prefer?.includes(SERVER_TIMING)) sendTiming(reply, startedAt);
    if (!observers.length) return done();
    const address = request.ip;
    reply.raw.once('close', () => {
      const observed = describe(request, reply, performance.now() - startedAt, address);
      for (const observe of observers) observe(observed);
    });
    done();
  });
}

function describe(
  request: FastifyRequest,
  reply: FastifyReply,
  durationMs: number,
  address: string,
): ObservedRequest {
  const route = request.is404 ? '' : (request.routeOptions.url ?? '');
  return { request, reply, durationMs, route, address, isAborted: !reply.raw.writableFinished };
}

/** How long the service took until the answer began: https://www.w3.org/TR/server-timing/ */
function sendTiming(reply: FastifyReply, startedAt: number): void {
  confirmPreference(reply, SERVER_TIMING);
  onHeaders(reply.raw, () => {
    const durationMs = (performance.now() - startedAt).toFixed(1);
    reply.raw.setHeader('server-timing', `total;dur=${durationMs}`);
  });
}

function acceptRequestId(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  request.traceId = receivedIdOf(request);
  if (request.traceId !== undefined) reply.header('x-request-id', request.traceId);
  done();
}

/**
 * One line a request. It has no value that a client chose, besides an id and a key's name: a filter, a body
 * or an unknown address may be a secret.
 */
function logRequest(
  log: Logger,
  { request, reply, durationMs, route, address, isAborted }: ObservedRequest,
) {
  const { method, principal } = request;
  const status = reply.raw.statusCode;
  const fields = {
    requestId: logIdOf(request),
    method,
    route,
    status,
    durationMs: Math.round(durationMs * 10) / 10,
    address,
    key: principal?.name,
    aborted: isAborted || undefined,
  };
  const outcome = isAborted ? `${status} (aborted)` : status;
  log.info(
    fields,
    `${method} ${route || '(unknown address)'} ${outcome} in ${fields.durationMs} ms`,
  );
}
