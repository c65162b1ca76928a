import type { ApiOperation } from '../http/api-types.js';
import type { Schema } from '../http/dto-metadata.js';
import { statusOf, typeOf, type ProblemCode, PROBLEMS } from '../problems/problems.js';
import type { ApiRoute } from './api-routes.js';

/** Every route may answer with these. */
const COMMON: ProblemCode[] = [
  'unknown_parameter',
  'malformed_request',
  'malformed_address',
  'host_not_allowed',
  'request_timeout',
  'address_too_long',
  'unsupported_media_type',
  'too_many_requests',
  'headers_too_large',
  'internal_error',
  'too_many_connections',
];
const WITH_KEYS: ProblemCode[] = ['key_required', 'invalid_key', 'insufficient_role'];
const WITH_DATABASE: ProblemCode[] = [
  'database_unavailable',
  'invalid_parameter',
  'invalid_header',
  'invalid_preference',
];
const OF_WRITES: ProblemCode[] = [
  'cross_site',
  'database_read_only',
  'disk_full',
  'constraint_violation',
  'idempotency_key_reused',
];
const OF_BODIES: ProblemCode[] = [
  'invalid_body',
  'malformed_json',
  'missing_body',
  'aborted_upload',
  'body_too_large',
  'expectation_failed',
];

/** The problems of a route. */
export function problemsOf({ method, rules }: ApiRoute): ProblemCode[] {
  const { body, problems = [], isLocal } = rules.operation as ApiOperation;
  const codes = new Set([...COMMON, ...problems]);
  const add = (others: ProblemCode[]) => others.forEach((code) => codes.add(code));
  if (rules.requiredRole !== 'anyone') add(WITH_KEYS);
  if (!isLocal) add(WITH_DATABASE);
  if (method !== 'get') add(OF_WRITES);
  if (body) add(OF_BODIES);
  return [...codes];
}

/** The schema of problem documents (RFC 9457). */
export const PROBLEM_SCHEMA: Schema = {
  type: 'object',
  properties: {
    type: { type: 'string', description: 'The address of the description of the problem.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { enum: Object.keys(PROBLEMS), description: 'A stable code for programs.' },
    detail: {
      type: 'string',
      description: 'What is wrong with this request, and what to do next.',
    },
    errors: {
      type: 'array',
      description: 'What is wrong with each member, parameter or row.',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string' },
          parameter: { type: 'string' },
          line: { type: 'integer' },
          detail: { type: 'string' },
          position: { type: 'integer' },
        },
      },
    },
    rejected: { type: 'integer', description: 'The number of rows that were rejected.' },
    current: {
      type: 'object',
      description: 'The record that does not have the required version. Its version is the `ETag`.',
    },
    message: { type: 'string', description: 'For clients of PostgREST.' },
    details: { type: 'string' },
    hint: { type: ['string', 'null'] },
  },
  required: ['type', 'title', 'status', 'code', 'detail'],
};

/** The answers with problems, by status. */
export function problemResponses(codes: ProblemCode[]): Record<string, object> {
  const statuses = [...new Set(codes.map(statusOf))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      problemResponse(codes.filter((code) => statusOf(code) === status)),
    ]),
  );
}

function problemResponse(codes: ProblemCode[]): object {
  const [first] = codes as [ProblemCode];
  const [status, title] = PROBLEMS[first];
  const names = codes.map((code) => `[\`${code}\`](${typeOf(code)})`);
  return {
    description: names.join(', '),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }],
          properties: { code: { enum: codes } },
        },
        example: { type: typeOf(first), title, status, code: first, detail: `${title}.` },
      },
    },
  };
}
