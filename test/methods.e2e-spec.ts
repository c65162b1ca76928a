import { request } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const ON_THE_LIST = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST';
const ON_ONE = 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT';

describe('unsupported methods', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  const send = async (method: string, path: string) => {
    const sent = request(`${await running.app.getUrl()}${path}`, { method }).end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    return { status: answer.statusCode, allow: answer.headers.allow };
  };

  it.each([
    ['PUT', '/marathon/', ON_THE_LIST],
    ['PROPPATCH', '/marathon', ON_THE_LIST],
    ['PROPFIND', '/marathon/', ON_THE_LIST],
    ['POST', '/marathon/1', ON_ONE],
    ['TRACE', '/marathon/1', ON_ONE],
  ])('%s %s is 405, with Allow', async (method, path, allow) => {
    expect(await send(method, path)).toEqual({ status: 405, allow });
  });

  it.each([
    ['/marathon/', ON_THE_LIST],
    ['/marathon/1', ON_ONE],
  ])('OPTIONS %s is 204, with Allow', async (path, allow) => {
    expect(await send('OPTIONS', path)).toEqual({ status: 204, allow });
  });
});
