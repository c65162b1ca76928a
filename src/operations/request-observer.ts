import type { Socket } from 'node:net';
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
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.headers.prefer?.includes(SERVER_TIMING)) sendTiming(reply);
    done();
  });
  if (observers.length) observeAnswers(fastify, observers);
}

/**
 * Fastify tells when an answer is complete. A client that does not wait for it closes its connection: one listener
 * for each connection costs less than one for each request.
 */
function observeAnswers(fastify: FastifyInstance, observers: Observe[]): void {
  const unanswered = new WeakMap<Socket, Set<FastifyReply>>();
  const observe = (reply: FastifyReply, isAborted: boolean) => {
    const { request } = reply;
    const { url: route = '' } = request.routeOptions;
    const answered = { request, reply, route, durationMs: reply.elapsedTime, isAborted };
    for (const each of observers) each(answered);
  };
  const watch = (socket: Socket) => {
    const replies = new Set<FastifyReply>();
    unanswered.set(socket, replies);
    // Node keeps the address of the client if it is read before the connection is closed
    void socket.remoteAddress;
    socket.once('close', () => {
      for (const reply of replies) observe(reply, true);
      replies.clear();
    });
    return replies;
  };
  fastify.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    (unanswered.get(socket) ?? watch(socket)).add(reply);
    done();
  });
  fastify.addHook('onResponse', ({ raw: { socket } }, reply, done) => {
    if (unanswered.get(socket)?.delete(reply)) observe(reply, false);
    done();
  });
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
