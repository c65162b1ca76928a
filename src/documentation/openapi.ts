import type { Settings } from '../config/settings.js';
import { allNamedSchemas } from '../http/api-operation.js';
import type { ApiContent, ApiOperation, ApiParameter, ApiResponse } from '../http/api-types.js';
import { requiredRoleOf } from '../http/route-rules.js';
import type { ApiRoute } from './api-routes.js';
import { PROBLEM_SCHEMA, problemResponses, problemsOf } from './openapi-problems.js';

/** An OpenAPI document: https://spec.openapis.org/oas/v3.1.0 */
export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, object>>;
  components: Record<string, object>;
}

const TAGS = [
  ['Marathons', 'Marathon races: one, lists of them, and many at once.'],
  ['History', 'Earlier versions, and every change.'],
  ['API keys', 'Who may write.'],
  ['Operation', 'Health and metrics.'],
  ['Documentation', 'Descriptions of the API.'],
].map(([name, description]) => ({ name, description }));

const HEADERS: Record<string, string> = {
  ETag: 'The version.',
  Vary: 'The headers of the request that the answer depends on.',
  Link: 'The addresses of other pages (RFC 8288).',
  Location: 'The address of what was created.',
  'Content-Range': 'The first and the last row, counted from 0, and the number of all rows.',
  'Content-Encoding': 'The compression.',
  'Change-Range':
    'The numbers of the first and the last change that the write made, as in `5-12`. `POST /marathon/restore` undoes them.',
  'Preference-Applied': 'The preferences that were applied (RFC 7240).',
};

/** Describes the routes. What needs a key depends on how access is set. */
export function describeApi(
  routes: ApiRoute[],
  version: string,
  access: Settings['access'],
): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: describeRoute(route, access) };
  }
  return {
    openapi: '3.1.0',
    ...DOCUMENT_HEAD,
    info: { ...DOCUMENT_HEAD.info, version },
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA, ...allNamedSchemas() },
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [
          name,
          { description, schema: { type: 'string' } },
        ]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key: `mr_…`.' },
        apikey: { type: 'apiKey', in: 'header', name: 'apikey', description: 'The same key.' },
      },
    },
  } as OpenApiDocument;
}

const DOCUMENT_HEAD = {
  info: {
    title: 'The marathon registry',
    summary: 'A registry of marathon races over REST.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'This service.' }],
  tags: TAGS,
};

function describeRoute(route: ApiRoute, access: Settings['access']): object {
  const operation = route.rules.operation as ApiOperation;
  const { id, tag, summary, description, body, headers = [] } = operation;
  const role = requiredRoleOf([route.method.toUpperCase()], route.rules);
  const parameters = [...(route.rules.parameters ?? []), ...headers].map(describeParameter);
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    parameters,
    requestBody: body && { required: true, content: mapValues(body, describeContent) },
    responses: {
      ...mapValues(operation.responses, describeResponse),
      ...problemResponses(problemsOf(route)),
    },
    security: securityOf(role, access),
    'x-role': role,
  };
}

function describeParameter(parameter: ApiParameter): object {
  return { required: false, ...parameter };
}

function describeContent({ schema, example }: ApiContent): object {
  return { schema, example };
}

function describeResponse({ description, headers = [], content }: ApiResponse): object {
  return {
    description,
    headers: Object.fromEntries(
      headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ),
    content: content && mapValues(content, describeContent),
  };
}

/** A key is required, possible or useless. The lists name roles: OpenAPI 3.1, section 4.8.30. */
function securityOf(role: string, access: Settings['access']): object[] {
  if (access === 'open' || role === 'anyone') return [];
  const required = [{ bearer: [role] }, { apikey: [role] }];
  return access === 'keys' && role === 'reader' ? [{}, ...required] : required;
}

function mapValues<T>(values: Record<string, T>, map: (value: T) => object) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
