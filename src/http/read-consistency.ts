import { Logger } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { ReadServer, ReadServers } from '../journal/read-servers.js';
import { deadlineIn, type Deadline } from '../pool/deadline.js';
import { headerParameter } from './api-operation.js';
import { fromRequest } from './from-request.js';
import { isRead, requiredRoleOf } from './route-rules.js';

export const CONSISTENCY_HEADER = 'Consistency-Token';
const COOKIE = 'consistency_token';
/** A replica that is further behind than this is not one to read from. */
const COOKIE_SECONDS = 3600;
const TOKEN = /^\d{1,15}$/;
const COOKIE_TOKEN = new RegExp(`(?:^|;\\s*)${COOKIE}=(\\d{1,15})(?:;|$)`);
const MIN_TOKEN_TIMEOUT_MS = 500;
/** Clients without cookies that wrote to this instance. */
const MAX_KNOWN_WRITERS = 10_000;

const log = new Logger('Replicas');

declare module 'fastify' {
  interface FastifyInstance {
    readServers: ReadServers;
  }
  interface FastifyRequest {
    /** Where it reads from. Undefined without replicas, and until it was allowed. */
    readServer?: ReadServer;
    /** That of its server, when it was chosen. */
    fallbackCount?: number;
  }
}

/** Gives a handler the server to read from. */
export const ReadFrom = () => fromRequest(readServerOf);

export function readServerOf({ readServer, server }: FastifyRequest): ReadServer {
  return readServer ?? server.readServers.primary;
}

/**
 * With replicas, chooses the server of each read, and tells clients what they have seen: the number of the last change,
 * which they send back in the header `Consistency-Token` or as a cookie. A client that sends neither reads at least
 * what it wrote to this instance. Call it before the routes are registered.
 */
export function keepReadsConsistent(fastify: FastifyInstance, servers: ReadServers): void {
  fastify
    .decorate('readServers', servers)
    .decorateRequest('readServer')
    .decorateRequest('fallbackCount');
  if (!servers.hasReplicas) return;
  const writers = new LRUCache<string, number>({ max: MAX_KNOWN_WRITERS });
  fastify.addHook('onRoute', (route) => {
    if (!concernsData(route)) return;
    route.preHandler = async (request: FastifyRequest) => {
      if (!isRead(request.method)) {
        request.readServer = servers.primary;
        return;
      }
      const seen = Math.max(sentToken(request), writers.get(clientOf(request)) ?? 0);
      request.readServer = await servers.choose(seen);
      request.fallbackCount = request.readServer.fallbackCount;
    };
    route.onSend = async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
      // it was rejected before it saw anything
      if (!request.readServer) return payload;
      const client = clientOf(request);
      // until it is known which change it was
      if (!isRead(request.method)) writers.set(client, Infinity);
      await sendToken(reply);
      const token = Number(reply.getHeader(CONSISTENCY_HEADER));
      if (!isRead(request.method) && token) writers.set(client, token);
      return payload;
    };
  });
}

/** Sends what the client has seen, at the least. Call it before an answer that hooks do not see. */
export async function sendToken(reply: FastifyReply): Promise<void> {
  const { request, server } = reply;
  if (!server.readServers.hasReplicas || reply.hasHeader(CONSISTENCY_HEADER)) return;
  try {
    // the answer waits no longer than the request may; after a long import at least for this time
    const remainingMs = Math.max(MIN_TOKEN_TIMEOUT_MS, server.deadlineMs - reply.elapsedTime);
    const deadline = deadlineIn(remainingMs);
    const seq = await server.readServers.read(usedServerOf(request), deadline, fetchSeq);
    const token = Math.max(seq, sentToken(request));
    reply.header(CONSISTENCY_HEADER, token);
    const attributes = `Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax`;
    reply.header('Set-Cookie', `${COOKIE}=${token}; ${attributes}`);
  } catch (error) {
    // the client keeps the token that it has
    log.warn(`An answer has no ${CONSISTENCY_HEADER}: ${String(error)}`);
  }
}

/** The number of the last change of a server. */
async function fetchSeq({ versions }: ReadServer, { endsAt }: Deadline): Promise<number> {
  const { seq } = await versions.fetch(endsAt);
  return seq;
}

/** Which server the answer may be from: if reads of the chosen one went to the primary meanwhile, that one. */
function usedServerOf(request: FastifyRequest): ReadServer {
  const server = readServerOf(request);
  const isSame = server.fallbackCount === (request.fallbackCount ?? 0);
  return isSame ? server : request.server.readServers.primary;
}

/** Whether a route is for readers and writers, and not about keys or the operation. */
function concernsData({ method, config = {} }: RouteOptions): boolean {
  if (config.isCatchAll || config.page) return false;
  return ['reader', 'writer'].includes(requiredRoleOf([method].flat(), config));
}

/** The number of the last change that the client has seen, as it says; 0 if it says nothing. */
function sentToken({ headers }: FastifyRequest): number {
  const header = String(headers[CONSISTENCY_HEADER.toLowerCase()] ?? '');
  const cookie = COOKIE_TOKEN.exec(headers.cookie ?? '')?.[1];
  return Math.max(TOKEN.test(header) ? Number(header) : 0, Number(cookie ?? 0));
}

function clientOf({ principal, ip }: FastifyRequest): string {
  return principal?.name ?? ip;
}

export const CONSISTENCY_PARAMETER = headerParameter(
  CONSISTENCY_HEADER,
  'With replicas: the number in this header of an earlier answer. The read is not older than that.',
  '105',
);
