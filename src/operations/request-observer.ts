import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import onHeaders from 'on-headers';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { confirmPreference, SERVER_TIMING } from '../http/preferences.js';
import { prependHook } from '../http/route-hooks.js';
import { receivedIdOf } from '../http/request-id.js';
import type { Answered } from './answered.js';
import { RequestLog } from './request-log.js';
import { measureRequest } from './request-metrics.js';

type Observe = (answered: Answered) => void;

const REPLY = Symbol('the reply in progress');
const ADDRESS = Symbol('the address of the client');
/** A closed connection has no address, so it is noted before. */
type ObservedSocket = Socket & { [REPLY]?: FastifyReply; [ADDRESS]?: string };

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
  observeAnswers(fastify, observers, Boolean(trustProxy));
}

function observeAnswers(fastify: FastifyInstance, observers: Observe[], isProxied: boolean): void {
  const observe = (
    socket: ObservedSocket | null,
    reply: FastifyReply,
    route: string,
    isAborted: boolean,
  ) => {
    if (socket) socket[REPLY] = undefined;
    const { request } = reply;
    const answered = { request, reply, route, address: socket?.[ADDRESS] ?? '', isAborted };
    for (const each of observers) each(answered);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const socket = request.raw.socket as ObservedSocket;
    if (!(REPLY in socket)) watch(socket, observe);
    socket[REPLY] = reply;
    if (isProxied) socket[ADDRESS] = request.ip;
    if (request.headers.prefer?.includes(SERVER_TIMING)) sendTiming(reply);
    done();
  });
  if (!observers.length) return;
  fastify.addHook('onRoute', (route) => {
    prependHook(route, 'onResponse', (_, reply, done) => {
      observe(socketOf(reply), reply, route.url, false);
      done();
    });
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    if (request.is404) observe(socketOf(reply), reply, '', false);
    done();
  });
}

/** Null for a connection that was closed meanwhile. */
function socketOf({ request }: FastifyReply): ObservedSocket | null {
  return request.raw.socket;
}

/** Observes the request that a client does not wait for any more. */
function watch(
  socket: ObservedSocket,
  observe: (socket: ObservedSocket, reply: FastifyReply, route: string, isAborted: boolean) => void,
): void {
  socket[ADDRESS] = socket.remoteAddress;
  socket.once('close', () => {
    const reply = socket[REPLY];
    if (reply) observe(socket, reply, reply.request.routeOptions.url ?? '', true);
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
