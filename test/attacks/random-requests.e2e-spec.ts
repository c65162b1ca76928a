import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenApiDocument } from '../../src/documentation/openapi.js';
import { aMarathon } from '../support/a-marathon.js';
import { authorize, NO_REQUEST_LIMITS } from '../support/keys.js';
import { startApp, type RunningApp } from '../support/app.js';
import { AnswerChecker, operationsOf, type ApiRequest } from '../support/openapi.js';
import { RandomApiRequests } from '../support/random-api-requests.js';
import { pick, random } from '../support/seed.js';

const COUNT = Number(process.env.RANDOM_REQUESTS ?? 3000);
const CLIENTS = 8;
const ROLES = ['reader', 'writer', 'admin'] as const;

describe('requests at random', () => {
  let running: RunningApp;
  let document: OpenApiDocument;
  let senders: Record<string, string>[];
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

  beforeAll(async () => {
    running = await startApp({ ACCESS: 'keys', ...NO_REQUEST_LIMITS });
    const roles = await Promise.all(ROLES.map(async (role) => authorize(running, role)));
    const [, , admin] = roles.map(({ header }) => header);
    // most requests may do what they ask for
    senders = [admin!, admin!, ...roles.map(({ header }) => header), {}, { apikey: 'mr_forged' }];
    const rows = Array.from({ length: 50 }, (_, index) => aMarathon({ name: `Race ${index}` }));
    await running.http.post('/marathon/').set(admin!).send(rows).expect(201);
    document = (await running.http.get('/openapi.json').expect(200)).body;
  });
  afterAll(async () => {
    agent.destroy();
    await running.close();
  });

  const send = async (url: string, { method, url: path, headers, body }: ApiRequest) =>
    new Promise<{ status: number; mediaType: string; text: string }>((resolve, reject) => {
      const request = httpRequest(`${url}${path}`, { method, headers, agent }, (response) => {
        const mediaType = (response.headers['content-type'] ?? '').split(
          /; (?:charset|version)/,
        )[0]!;
        text(response).then(
          (content) => resolve({ status: response.statusCode!, mediaType, text: content }),
          reject,
        );
      });
      request.on('error', reject).end(body);
    });

  it(`are answered as /openapi.json says: ${COUNT} of them`, async () => {
    const url = await running.app.getUrl();
    const checker = new AnswerChecker(document);
    const requests = new RandomApiRequests(operationsOf(document), random);
    const issues: object[] = [];
    const statuses: Record<number, number> = {};
    let sent = 0;
    const client = async () => {
      while (sent < COUNT && issues.length < 20) {
        sent += 1;
        const { operation, request } = requests.next();
        const headers = { ...request.headers, ...pick(senders) };
        const answer = await send(url, { ...request, headers });
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const issue =
          answer.status === 500
            ? 'internal error'
            : checker.findIssue(operation, answer.status, answer.mediaType, answer.text);
        if (issue) issues.push({ issue, ...request, ...answer });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    console.log(JSON.stringify(statuses));
    expect(issues).toEqual([]);
  });
});
