import type { Server, ServerOptions } from 'node:http';
import type { Settings } from '../config/settings.js';
import { answerUnusualRequests } from './client-errors.js';
import { limitConnections } from './connection-limits.js';
import { securedResponses } from './response-headers.js';
import { closeWaitingResponses } from './waiting-responses.js';

/** How often Node looks for connections whose headers are late. */
const CONNECTION_CHECK_MS = 1000;
/** The longest time that a request may take to arrive, an upload included. */
const MAX_REQUEST_MS = 6 * 3_600_000;

/** How `node:http` reads requests and begins responses, on each port. */
export function serverOptions(settings: Settings): ServerOptions {
  const { limits } = settings;
  return {
    ServerResponse: securedResponses(settings),
    // a request without Host gets a problem document, like any other invalid request
    requireHostHeader: false,
    maxHeaderSize: limits.headersKb * 1024,
    headersTimeout: limits.headersTimeoutSeconds * 1000,
    requestTimeout: MAX_REQUEST_MS,
    connectionsCheckingInterval: CONNECTION_CHECK_MS,
  };
}

/** What `node:http` has no options for: limits of connections, words for refused requests, an end for each response. */
export function guardServer(server: Server, { limits }: Settings): void {
  answerUnusualRequests(server);
  limitConnections(server, limits);
  closeWaitingResponses(server);
}
