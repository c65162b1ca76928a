import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';

const HOST = 'Host: localhost\r\n';
const POST = `POST /marathon/ HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
const HIDDEN = `GET /hidden HTTP/1.1\r\n${HOST}\r\n`;

describe('a raw request', () => {
  let running: RunningApp;
  beforeAll(async () => {
    running = await startApp();
    await running.http.post('/marathon/').send(aMarathon()).expect(201);
  });
  afterAll(async () => running.close());

  /** The connection is closed after the answer, or by a client that sends nothing more. */
  const send = async (bytes: string) => {
    const { port } = new URL(await running.app.getUrl());
    const socket = connect(Number(port), '127.0.0.1');
    if (bytes.includes('Connection: close')) socket.write(bytes, 'latin1');
    else socket.end(bytes, 'latin1');
    return text(socket);
  };

  it.each([
    ['two lengths', `${POST}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}${HIDDEN}`],
    [
      'a length and chunks',
      `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ['chunks that are obfuscated', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
    [
      'chunks twice',
      `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ['a space before the colon', `${POST}Content-Length : 4\r\n\r\n${HIDDEN}`],
    ['a folded header', `${POST}X: a\r\n Content-Length: 4\r\n\r\n${HIDDEN}`],
    [
      'a bare line feed',
      `POST /marathon/ HTTP/1.1\nHost: localhost\nContent-Length: 4\n\n${HIDDEN}`,
    ],
    ['a negative length', `${POST}Content-Length: -1\r\n\r\n${HIDDEN}`],
    ['a length in hexadecimal', `${POST}Content-Length: 0x4\r\n\r\n${HIDDEN}`],
    ['a NUL in a header', `${POST}X: a\0b\r\nContent-Length: 0\r\n\r\n${HIDDEN}`],
    ['a chunk with a wrong length', `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}${HIDDEN}`],
  ])('with %s hides no second one', async (_, bytes) => {
    const answer = await send(bytes);
    expect(answer).not.toContain('/hidden');
    expect(answer.match(/^HTTP\/1\.1 /gm)!.length).toBe(1);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it.each([
    '/marathon/../keys',
    '/marathon/%2e%2e/keys',
    '/marathon/..%2fkeys',
    '//keys',
    '/./marathon/1',
    '/docs/../../package.json',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
    '/docs/....//package.json',
    '/docs/swagger-ui.css%00.js',
    '/docs/__proto__',
    '/docs/toString',
    '/problems/..%2f..%2fpackage.json',
    '/problems/__proto__',
    '/rest/v1/../../keys',
    '/marathon/1%00',
    '/marathon/1;id=2',
    'http://evil.example/marathon/',
    'http://localhost/nothing',
    '*',
  ])('of the path %s finds no file and no other address', async (path) => {
    const answer = await send(`GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|403|404) /);
    expect(answer).not.toContain('"dependencies"');
  });

  it('does not put its text into a header of the answer', async () => {
    const name = encodeURIComponent('a\r\nSet-Cookie: x=1');
    for (const path of [
      `/marathon/?limit=1&name=${name}`,
      `/marathon/?order=${name}`,
      `/${name}`,
    ]) {
      const answer = await send(`GET ${path} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
      expect(answer.split('\r\n\r\n')[0]).not.toMatch(/^set-cookie/im);
    }
  });
});
