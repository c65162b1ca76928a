import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { startApp, type RunningApp } from './support/app.js';

describe('the description of the API by @nestjs/swagger', () => {
  let running: RunningApp;
  let api: OpenAPIObject;
  beforeAll(async () => {
    running = await startApp();
    api = SwaggerModule.createDocument(running.app, new DocumentBuilder().build());
  });
  afterAll(async () => running.close());

  const operation = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string) =>
    api.paths[path]![method]! as {
      parameters: { in: string; name: string; schema: object }[];
      requestBody?: { content: Record<string, { schema: object }> };
    };
  const names = (
    method: 'get' | 'post' | 'put' | 'patch' | 'delete',
    path: string,
    place: string,
  ) =>
    operation(method, path)
      .parameters.filter((parameter) => parameter.in === place)
      .map(({ name }) => name);

  it('has the parameters of a list', () => {
    const columns = ['id', 'name', 'city', 'inception_year'];
    const groups = ['and', 'or', 'not.and', 'not.or'];
    const page = ['select', 'order', 'limit', 'offset', 'after', 'having', 'q'];
    const all = [...columns, ...groups, ...page, 'as_of', 'format'];
    expect(names('get', '/marathon', 'query').sort()).toEqual(all.sort());
    expect(names('get', '/marathon/anniversaries', 'query')).toEqual(
      expect.arrayContaining(['years', 'year', 'format']),
    );
    expect(names('delete', '/marathon', 'query')).not.toContain('after');
  });

  it('has the headers of a write, and the id of the address', () => {
    expect(names('put', '/marathon/{id}', 'header').sort()).toEqual([
      'Idempotency-Key',
      'If-Match',
      'Prefer',
    ]);
    expect(names('put', '/marathon/{id}', 'path')).toEqual(['id']);
  });

  it('has the rules of bodies and parameters', () => {
    const { properties, required } = operation('post', '/marathon').requestBody!.content[
      'application/json'
    ]!.schema as { properties: object; required: string[] };
    expect(properties).toEqual({
      name: { type: 'string', minLength: 1, maxLength: 100 },
      city: { type: ['string', 'null'], maxLength: 50 },
      inception_year: { type: ['integer', 'null'], minimum: 1, maximum: 9999 },
      id: { type: ['integer', 'null'], minimum: 1, maximum: 2_000_000_000 },
    });
    expect(required).toEqual(['name']);
    const patch = operation('patch', '/marathon/{id}').requestBody!.content['application/json']!;
    expect(patch.schema).toMatchObject({ required: [] });
    const { schema } = operation('get', '/marathon/changes').parameters.find(
      ({ name }) => name === 'limit',
    )!;
    expect(schema).toEqual({ type: 'integer', minimum: 1, maximum: 1000 });
  });
});
