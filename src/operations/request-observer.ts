import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { whenBegun } from '../http/prepared-headers.js';
import { confirmPreference, SERVER_TIMING } from '../http/preferences.js';
import { receivedIdOf } from '../http/request-id.js';
import { addRequestStep } from '../http/route-hooks.js';
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
  if (trustProxy) addRequestStep(fastify, acceptRequestId);
  const observers: Observe[] = [];
  if (metrics === 'on') observers.push(measureRequest);
  if (log.isLevelEnabled('info')) {
    const requestLog = new RequestLog(log);
    observers.push((answered) => requestLog.add(answered));
    fastify.addHook('onClose', async () => requestLog.close());
  }
  addRequestStep(fastify, (request, reply) => {
    if (observers.length) observeAnswer(request, reply, observers);
    if (request.headers.prefer?.includes(SERVER_TIMING)) sendTiming(reply);
  });
}

/** Observes a request when its response is closed: it is complete then, or its client is gone. */
function observeAnswer(request: FastifyRequest, reply: FastifyReply, observers: Observe[]): void {
  const startedAt = performance.now();
  // a closed connection has none
  const { ip: address } = request;
  reply.raw.on('close', () => {
    const answered = describeAnswer(request, reply, startedAt, address);
    for (const observe of observers) observe(answered);
  });
}

function describeAnswer(
  request: FastifyRequest,
  { raw }: FastifyReply,
  startedAt: number,
  address: string,
): Answered {
  const { id, traceId, method, principal } = request;
  const { url: route = '' } = request.routeOptions;
  const endedAt = performance.now();
  return {
    id: Number(id),
    traceId,
    method,
    route,
    status: raw.statusCode,
    durationMs: endedAt - startedAt,
    endedAt,
    isAborted: !raw.writableFinished,
    address,
    principal,
  };
}

/** How long the service took until the answer began: https://www.w3.org/TR/server-timing/ */
function sendTiming(reply: FastifyReply): void {
  const startedAt = performance.now();
  confirmPreference(reply, SERVER_TIMING);
  whenBegun(reply.raw, (prepared) => {
    const durationMs = (performance.now() - startedAt).toFixed(1);
    prepared.preparedHeaders += `server-timing: total;dur=${durationMs}\r\n`;
  });
}

function acceptRequestId(request: FastifyRequest, reply: FastifyReply): void {
  request.traceId = receivedIdOf(request);
  if (request.traceId !== undefined) reply.header('x-request-id', request.traceId);
}
