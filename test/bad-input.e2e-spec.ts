import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const JSON_TYPE = 'application/json';
const YEAR = 'must be a whole number from 1 to 9999, or null';
const ID = 'must be a whole number from 1 to 2000000000, or null';

describe('invalid input is rejected with an explanation, and not stored:', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  afterEach(async () => {
    await running.http.get('/marathon/').expect(200, { marathon_list: [] });
  });

  const post = async (body?: string, type = JSON_TYPE) => {
    const request = running.http.post('/marathon/').set('Content-Type', type);
    return request.send(body);
  };

  it.each([
    ['an array in an array', '[[]]', 'row was rejected'],
    ['null', 'null', 'this is null'],
    ['a number', '3', 'of the type number'],
    ['a text', '"Boston"', 'of the type string'],
    ['malformed JSON', '{"name":', 'not well-formed JSON'],
    ['__proto__', '{"name":"x","__proto__":{"a":1}}', '__proto__'],
    ['nothing but the type', '', 'no body'],
  ])('%s as the body', async (_, text, detail) => {
    const { body, status, headers } = await post(text);
    expect({ status, body }).toMatchObject({ status: 400, body: { status: 400 } });
    expect(body.type).toBe(`/problems/${body.code.replaceAll('_', '-')}`);
    expect(body.detail).toContain(detail);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('no body at all', async () => {
    const { body } = await running.http.post('/marathon/').expect(400);
    expect(body.detail).toContain('There is no body');
  });

  it('bytes that are not UTF-8', async () => {
    const body = Buffer.from([...Buffer.from('{"name":"'), 0xff, 0x22, 0x7d]);
    const headers = { 'Content-Type': JSON_TYPE };
    const url = `${await running.app.getUrl()}/marathon/`;
    const answer = await fetch(url, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ status: 400, detail: 'The body is not UTF-8.' });
  });

  it.each([
    ['no name', {}, '#/name', 'is required'],
    ['null as the name', { name: null }, '#/name', 'must be text'],
    ['a number as the name', { name: 3 }, '#/name', 'must be text'],
    ['an array as the name', { name: ['x'] }, '#/name', 'must be text'],
    ['a blank name', { name: ' \t\n' }, '#/name', 'must not be blank'],
    [
      '101 characters',
      { name: 'a'.repeat(101) },
      '#/name',
      'must have at most 100 characters, and has 101',
    ],
    ['a NUL', { name: 'a\0b' }, '#/name', 'must not contain a NUL character'],
    [
      'half a surrogate pair',
      { name: '\ud800' },
      '#/name',
      'must be well-formed Unicode: it has half of a surrogate pair',
    ],
    [
      '51 characters as the city',
      { name: 'x', city: 'é'.repeat(51) },
      '#/city',
      'must have at most 50 characters, and has 51',
    ],
    ['a number as the city', { name: 'x', city: 7 }, '#/city', 'must be text, or null'],
    ['a year in quotes', { name: 'x', inception_year: '1897' }, '#/inception_year', YEAR],
    ['half a year', { name: 'x', inception_year: 1897.5 }, '#/inception_year', YEAR],
    ['a year too far', { name: 'x', inception_year: 99999999999 }, '#/inception_year', YEAR],
    ['the year 0', { name: 'x', inception_year: 0 }, '#/inception_year', YEAR],
    ['true as the year', { name: 'x', inception_year: true }, '#/inception_year', YEAR],
    [
      'a mistyped member',
      { name: 'x', inceptionyear: 1897 },
      '#/inceptionyear',
      'is not known: did you mean inception_year?',
    ],
    ['an id in quotes', { name: 'x', id: '7' }, '#/id', ID],
    [
      'constructor',
      { name: 'x', constructor: 1 },
      '#/constructor',
      'is not known: there are name, city, inception_year, id',
    ],
    [
      'a member with a slash',
      { name: 'x', 'a/b': 1 },
      '#/a~1b',
      'is not known: there are name, city, inception_year, id',
    ],
  ])('%s', async (_, marathon, pointer, detail) => {
    const { body } = await post(JSON.stringify(marathon));
    expect(body).toMatchObject({ status: 400, errors: [{ pointer, detail }] });
  });

  it('several issues, all of them together', async () => {
    const { body } = await post('{"city":3,"inception_year":"1897","nam":"x"}');
    const pointers = body.errors.map((fault: { pointer: string }) => fault.pointer);
    expect(pointers.toSorted()).toEqual(['#/city', '#/inception_year', '#/nam', '#/name']);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/merge-patch+json',
    'application/json; charset=iso-8859-1',
  ])('a new marathon as %s', async (type) => {
    // by its type alone, whatever its content is
    expect((await post('name=Boston', type)).body.status).toBe(415);
    expect((await post('{"name":"x"}', type)).body.status).toBe(415);
  });

  it('two megabytes', async () => {
    const { body } = await post(JSON.stringify({ name: 'a'.repeat(2_000_000) }));
    expect(body).toMatchObject({
      status: 413,
      detail: expect.stringContaining('an object of more than 1024 KiB'),
    });
  });

  it.each(['abc', '1.5', '-1', '1e3', '%00', '%20', '0x1', '%zz'])(
    '/marathon/%s as an address',
    async (id) => {
      const { body, headers } = await running.http.get(`/marathon/${id}`).expect(400);
      const code = id === '%zz' ? 'malformed_address' : 'invalid_id';
      expect(body).toMatchObject({ code, status: 400 });
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    },
  );

  it('an unknown query parameter', async () => {
    const { body } = await running.http.get('/marathon/?citty=Boston').expect(400);
    expect(body.errors).toEqual([
      { parameter: 'citty', detail: 'is not known: did you mean city?' },
    ]);
  });

  it('an unknown address', async () => {
    const { body } = await running.http.get('/marathons/').expect(404);
    expect(body).toMatchObject({ code: 'unknown_address', title: 'Unknown address', status: 404 });
  });
});
