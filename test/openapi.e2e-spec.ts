import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import prettier from 'prettier';
import openapiTypescript, { astToString } from 'openapi-typescript';
import type { OpenApiDocument } from '../src/documentation/openapi.js';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { AnswerChecker, exampleOf, operationsOf, type Operation } from './support/openapi.js';
import { findRoutes } from './support/routes.js';

const ROOT = join(import.meta.dirname, '..');

describe('/openapi.json', () => {
  let running: RunningApp;
  let document: OpenApiDocument;
  let checker: AnswerChecker;

  beforeAll(async () => {
    running = await startApp();
    const rows = [1, 2, 3].map((number) => aMarathon({ name: `Race ${number}` }));
    await running.http.post('/marathon/').send(rows).expect(201);
    document = (await running.http.get('/openapi.json').expect(200)).body;
    checker = new AnswerChecker(document);
  });
  afterAll(async () => running.close());

  const operation = (id: string) =>
    operationsOf(document).find(({ operationId }) => operationId === id)!;
  const describedBy = (column: string) =>
    operation('listMarathons').parameters.find(({ name }) => name === column)!.description;
  const parameterNames = (id: string, place: string) =>
    operation(id)
      .parameters.filter((parameter) => parameter.in === place)
      .map(({ name }) => name);

  it('is valid, as a linter sees it', async () => {
    const config = await createConfig({
      extends: ['recommended'],
      // the answers to writes of many are of several kinds, and a summary is enough
      rules: { 'no-ambiguous-paths': 'off' },
    });
    const problems = await lintFromString({ source: JSON.stringify(document), config });
    expect(problems.map(({ message, location }) => `${message} ${location[0]?.pointer}`)).toEqual(
      [],
    );
  });

  it('describes every route and no other', async () => {
    const described = operationsOf(document).map(
      ({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    );
    expect(described.toSorted()).toEqual((await findRoutes(running)).toSorted());
  });

  it('has the parameters that the parser knows', () => {
    const columns = ['id', 'name', 'city', 'inception_year'];
    const groups = ['and', 'or', 'not.and', 'not.or'];
    const page = ['select', 'order', 'limit', 'offset', 'after', 'having', 'q'];
    const all = [...columns, ...groups, ...page, 'as_of', 'format'];
    expect(parameterNames('listMarathons', 'query').toSorted()).toEqual(all.toSorted());
    expect(parameterNames('listAnniversaries', 'query')).toEqual(
      expect.arrayContaining(['years', 'year', 'format']),
    );
    expect(parameterNames('deleteMarathons', 'query')).not.toContain('after');
    expect(parameterNames('replaceMarathon', 'header').toSorted()).toEqual([
      'Idempotency-Key',
      'If-Match',
      'If-None-Match',
      'Prefer',
    ]);
  });

  it('names the operators of a column', () => {
    expect(describedBy('name')).toContain('`ilike`');
    expect(describedBy('inception_year')).toContain('`gte`');
    expect(describedBy('inception_year')).not.toContain('`ilike`');
  });

  it('has the rules of bodies', () => {
    const { CreateMarathon } = document.components.schemas as Record<string, object>;
    expect(CreateMarathon).toMatchObject({
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 100, examples: ['Boston Marathon'] },
        city: { type: ['string', 'null'], maxLength: 50 },
        inception_year: { type: ['integer', 'null'], minimum: 1, maximum: 9999 },
        id: { type: ['integer', 'null'], minimum: 1, maximum: 2_000_000_000 },
      },
      required: ['name'],
      additionalProperties: false,
    });
  });

  it('says who needs a key', async () => {
    expect(operation('listMarathons')).toMatchObject({ security: [], 'x-role': 'reader' });
    const keyed = await startApp({ ACCESS: 'keys' });
    try {
      const { paths } = (await keyed.http.get('/openapi.json').expect(200)).body as OpenApiDocument;
      expect(paths['/marathon']).toMatchObject({
        get: { security: [{}, { bearer: ['reader'] }, { apikey: ['reader'] }] },
        post: { security: [{ bearer: ['writer'] }, { apikey: ['writer'] }] },
      });
      expect(paths['/keys']).toMatchObject({
        get: { security: [{ bearer: ['admin'] }, { apikey: ['admin'] }] },
      });
    } finally {
      await keyed.close();
    }
  });

  it('is sent once to a client that has it', async () => {
    const { headers } = await running.http.get('/openapi.json');
    await running.http.get('/openapi.json').set('If-None-Match', headers.etag!).expect(304);
  });

  it('has examples that fit their schemas', () => {
    for (const { operationId, responses, requestBody } of operationsOf(document)) {
      const bodies = [...Object.values(responses), requestBody].map((each) => each?.content ?? {});
      for (const [mediaType, { schema, example }] of bodies.flatMap(Object.entries)) {
        if (example === undefined) continue;
        const issue = checker.findSchemaIssue(schema, example);
        expect({ operationId, mediaType, issue }).toEqual({ operationId, mediaType });
      }
    }
  });

  it('has examples that the service accepts', async () => {
    for (const each of operationsOf(document)) {
      for (const request of requestsOf(each)) {
        const answer = await send(request);
        const { operationId } = each;
        expect({ operationId, ...request, ...answer, issue: undefined }).toEqual({
          operationId,
          ...request,
          ...answer,
          issue: checker.findIssue(each, answer.status, answer.mediaType, answer.text),
        });
        const isExpected = answer.status < 400 || EXPECTED_FAILURES.has(answer.code);
        expect(isExpected ? '' : `${request.url} ${JSON.stringify(request)}: ${answer.text}`).toBe(
          '',
        );
      }
    }
  });

  const send = async ({ method, url, headers, body }: ReturnType<typeof requestsOf>[number]) => {
    const request = running.http[method as 'get'](url).set(headers);
    const { status, headers: sent, text } = await request.send(body);
    const mediaType = (sent['content-type'] ?? '').split(/; (?:charset|version)/)[0]!;
    const code = mediaType.includes('problem') ? JSON.parse(text).code : '';
    return { status, mediaType, text, code };
  };

  it('has the schemas that the page is built with', async () => {
    const { components } = document as unknown as { components: { schemas: object } };
    const { schemas } = components;
    const types = await openapiTypescript({
      ...document,
      paths: {},
      components: { schemas },
    } as never);
    const path = join(ROOT, 'page/src/api-types.ts');
    const options = await prettier.resolveConfig(path);
    const expected = await prettier.format(astToString(types), { ...options, filepath: path });
    // to write the file: UPDATE_TYPES=1 npm test -- test/openapi
    if (process.env.UPDATE_TYPES) await writeFile(path, expected);
    expect(await readFile(path, 'utf8')).toBe(expected);
  });

  it('makes a typed client', async () => {
    const types = astToString(await openapiTypescript(document as never));
    await mkdir(join(ROOT, '.data'), { recursive: true });
    const folder = await mkdtemp(join(ROOT, '.data', 'client-'));
    try {
      await writeFile(join(folder, 'api.ts'), types);
      await writeFile(join(folder, 'client.ts'), CLIENT);
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      const words = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext'];
      const compile = async (file: string) =>
        promisify(execFile)(process.execPath, [
          tsc,
          ...words,
          '--ignoreConfig',
          join(folder, file),
        ]);
      await compile('client.ts');
      await writeFile(join(folder, 'wrong.ts'), CLIENT.replace("name: 'Rome'", 'name: 1897'));
      await expect(compile('wrong.ts')).rejects.toMatchObject({
        stdout: expect.stringContaining('not assignable'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Failures of requests that are well-formed: of records and versions that are not there. */
const EXPECTED_FAILURES = new Set([
  'access_is_open',
  'already_exists',
  'not_deleted',
  'not_found',
  'precondition_failed',
  'range_not_satisfiable',
]);

const CLIENT = `
import type { components, operations } from './api.js';

type Body = operations['createMarathons']['requestBody']['content']['application/json'];
type Marathon = components['schemas']['Marathon'];

const body: Body = { name: 'Rome' };
const answer = await fetch('http://127.0.0.1:3000/marathon/', { method: 'POST', body: JSON.stringify(body) });
if (!answer.ok) throw new Error(((await answer.json()) as components['schemas']['Problem']).detail);
const list = (await (await fetch('http://127.0.0.1:3000/marathon/')).json()) as { marathon_list: Marathon[] };
export const years: (number | null | undefined)[] = list.marathon_list.map(({ inception_year }) => inception_year);
`;

/** A request with what is required, one with each optional parameter, and one with each body. */
function requestsOf({ method, path, parameters, requestBody }: Operation) {
  const bodies = Object.entries(requestBody?.content ?? {}).filter(([, { example }]) => example);
  const [first] = bodies;
  const dryRun = parameters.some(({ name }) => name === 'Prefer') ? { Prefer: 'tx=rollback' } : {};
  const optional = parameters.filter((each) => !each.required && exampleOf(each) !== undefined);
  const make = (chosen: typeof parameters, body = first) => {
    const sent = [...parameters.filter(({ required }) => required), ...chosen];
    const query = new URLSearchParams(
      sent
        .filter((each) => each.in === 'query')
        .map((each): [string, string] => [each.name, exampleOf(each)!]),
    );
    // writes of many need a filter
    if (path === '/marathon' && /patch|delete/.test(method)) query.append('id', 'eq.1');
    const headers = Object.fromEntries(
      sent.filter((each) => each.in === 'header').map((each) => [each.name, exampleOf(each)!]),
    );
    const url = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      exampleOf(parameters.find((each) => each.name === name)!)!,
    );
    // a conflict is only looked for with a resolution
    if (query.has('on_conflict')) headers.Prefer = 'resolution=merge-duplicates, tx=rollback';
    const content = body?.[1].example;
    return {
      method,
      url: query.size ? `${url}?${query.toString()}` : url,
      headers: { ...dryRun, ...headers, ...(body ? { 'Content-Type': body[0] } : {}) },
      body:
        typeof content === 'string' || content === undefined ? content : JSON.stringify(content),
    };
  };
  return [
    ...bodies.map((body) => make([], body)),
    ...[[], ...optional.map((each) => [each])].map((chosen) => make(chosen)),
  ];
}
