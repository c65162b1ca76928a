import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const HOST = 'Host: localhost\r\n';
const POST = `POST /marathon/ HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;

describe('a malformed request gets a problem document', () => {
  let running: RunningApp;
  let url: URL;
  beforeAll(async () => {
    running = await startApp();
    url = new URL(await running.app.getUrl());
  });
  afterAll(async () => running.close());

  it.each([
    [
      'headers over 16 KiB',
      `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'too large',
    ],
    ['a first line that is none', 'HELLO\r\n\r\n', 400, 'not well-formed'],
    ['another protocol', '\u0016\u0003\u0001\u0000\u0005\u0001', 400, 'not well-formed'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'not well-formed'],
    ['two lengths', `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400, 'lengths'],
    [
      'a length and chunks',
      `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      400,
      'lengths',
    ],
    ['a header without a name', `GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, 400, 'headers'],
    [
      'a chunk without a length',
      `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'not well-formed',
    ],
    [
      'raw UTF-8 in its address',
      `GET /marathon/?city=Zürich HTTP/1.1\r\n${HOST}\r\n`,
      400,
      '%C3%BC',
    ],
    [
      'a space in its address',
      `GET /marathon/?city=New York HTTP/1.1\r\n${HOST}\r\n`,
      400,
      'not well-formed',
    ],
    [
      'half a character in its address',
      `GET /marathon/?city=Z%C3rich HTTP/1.1\r\n${HOST}\r\n`,
      400,
      '%C3%BC',
    ],
    ['half an escape in its path', `GET /marathon/%E HTTP/1.1\r\n${HOST}\r\n`, 400, 'Each %'],
    ['no Host', 'GET /marathon/ HTTP/1.1\r\n\r\n', 400, 'Host'],
    [
      'an expectation that nobody meets',
      `${POST}Expect: tea\r\nContent-Length: 2\r\n\r\n{}`,
      417,
      '100-continue',
    ],
    ['a wish for a tunnel', `CONNECT example.org:80 HTTP/1.1\r\n${HOST}\r\n`, 405, 'no proxy'],
  ])('for %s', async (_, request, status, detail) => {
    const { head, body } = await send(url, request);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    expect(JSON.parse(body)).toEqual({
      type: expect.stringMatching(/^\/problems\/[a-z-]+$/),
      code: expect.stringMatching(/^[a-z_]+$/),
      title: expect.any(String),
      status,
      detail: expect.stringContaining(detail),
    });
  });

  it('but not HTTP/1.0 without Host', async () => {
    const { head } = await send(url, 'GET /marathon/ HTTP/1.0\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 200 /);
  });
});

/** Sends bytes and returns the first response. */
async function send({ hostname, port }: URL, request: string) {
  const socket = connect(Number(port), hostname);
  socket.write(Buffer.from(request));
  let text = '';
  try {
    for await (const bytes of socket) {
      text += String(bytes);
      const [head, body] = text.split('\r\n\r\n') as [string, string | undefined];
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? NaN);
      if (body !== undefined && Buffer.byteLength(body) >= length) return { head, body };
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`No whole response: ${text}`);
}
