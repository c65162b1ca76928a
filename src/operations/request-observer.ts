import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import onHeaders from 'on-headers';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { confirmPreference, SERVER_TIMING } from '../http/preferences.js';
import { receivedIdOf } from '../http/request-id.js';
import type { Answered } from './answered.js';
import { RequestLog } from './request-log.js';
import { measureRequest } from './request-metrics.js';

type Observe = (answered: Answered) => void;

/** Logs and measures each request. Call it before the routes are registered. */
export function observeRequests(
  fastify: FastifyInstance,
  { metrics, trustProxy }: Settings,
  log: Logger,
): void {
  fastify.decorateRequest('traceId');
  if (trustProxy) fastify.addHook('onRequest', acceptRequestId);
  const observers: Observe[] = [];
  if (metrics === 'on') observers.push(measureRequest);
  if (log.isLevelEnabled('info')) {
    const requestLog = new RequestLog(log);
    observers.push((answered) => requestLog.add(answered));
    fastify.addHook('onClose', async () => requestLog.close());
  }
  // one hook: each costs a small request half a percent
  const observe = observers.length ? answerObserver(observers) : () => {};
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.headers.prefer?.includes(SERVER_TIMING)) sendTiming(reply);
    observe(request, reply);
    done();
  });
}

/** `close` follows the end of each answer, and the end of a connection whose client did not wait for it. */
function answerObserver(observers: Observe[]) {
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const startedAt = performance.now();
    const address = request.ip;
    reply.raw.on('close', () => {
      const durationMs = performance.now() - startedAt;
      const isAborted = !reply.raw.writableFinished;
      const { url: route = '' } = request.routeOptions;
      const answered = { request, reply, route, address, durationMs, isAborted };
      for (const observe of observers) observe(answered);
    });
  };
}

/** How long the service took until the answer began: https://www.w3.org/TR/server-timing/ */
function sendTiming(reply: FastifyReply): void {
  const startedAt = performance.now();
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
