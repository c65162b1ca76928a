import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import {
  ROWS,
  type Feature,
  type FeatureAnswer,
  type FeatureRequest,
  type Section,
} from './postgrest/feature.js';
import { FILTERS } from './postgrest/filters.js';
import { READING } from './postgrest/reading.js';
import { WRITING } from './postgrest/writing.js';
import { startApp, type RunningApp } from './support/app.js';
import { emptyRegistry } from './support/store.js';

const SECTIONS = [...FILTERS, ...READING, ...WRITING];
const DOCUMENT = 'docs/postgrest.md';

describe('PostgREST', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => {
    await emptyRegistry(running);
    await running.http.post('/marathon/').send(ROWS).expect(201);
  });

  describe.each(SECTIONS)('$title', ({ features }) => {
    it.each(features)('$outcome: $feature', async ({ request, answer }) => {
      const response = await sendTo(await running.app.getUrl(), request);
      expect({ status: response.status, body: response.body }).toMatchObject(expectedOf(answer));
      if (Array.isArray(answer.body)) expect(response.body).toEqual(answer.body);
      for (const [name, value] of Object.entries(answer.headers ?? {})) {
        expectHeader(response.headers[name], value);
      }
      if (answer.ids) expect(response.body.map(({ id }: { id: number }) => id)).toEqual(answer.ids);
      if (answer.stored) expect(await storedIds()).toEqual(answer.stored);
    });
  });

  it('is compared in the documentation with the results of these tests', async () => {
    const written = await format(document(SECTIONS), { parser: 'markdown', printWidth: 100 });
    if (process.env.UPDATE_DOCS) writeFileSync(DOCUMENT, written);
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(written);
  });

  const storedIds = async (): Promise<number[]> => {
    const { body } = await running.http.get('/marathon/?select=id');
    return body.marathon_list.map(({ id }: { id: number }) => id);
  };
});

function expectedOf({ status, body }: FeatureAnswer): object {
  return body === undefined ? { status } : { status, body };
}

function expectHeader(actual: unknown, expected: string | RegExp | null): void {
  if (expected === null) expect(actual).toBeUndefined();
  else
    expect(actual).toMatch(
      expected instanceof RegExp ? expected : new RegExp(`^${escape(expected)}$`),
    );
}

function escape(literal: string): string {
  return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/** Not with `fetch`, which changes addresses and sends headers of its own. */
async function sendTo(url: string, { method, path, headers, body }: FeatureRequest) {
  const address = new URL(`${url}/rest/v1/marathon`);
  const target = encodePath(
    path.startsWith('/../') ? `/rest/v1/${path.slice(4)}` : `${address.pathname}${path}`,
  );
  const content = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(address, { method, path: target, headers }, resolve)
      .on('error', reject)
      .end(content);
  });
  const received = await text(response);
  const isJson = /json/.test(String(response.headers['content-type'])) && received !== '';
  return {
    status: response.statusCode,
    headers: response.headers,
    body: isJson ? JSON.parse(received) : received,
  };
}

/** Encodes spaces, quotes and other characters that no address may have. */
function encodePath(path: string): string {
  return path.replaceAll(/[^\x21-\x7e]|["<>\\^`{|}]/g, encodeURIComponent);
}

function document(sections: Section[]): string {
  const features = sections.flatMap((section) => section.features);
  const count = (outcome: string) =>
    features.filter((feature) => feature.outcome === outcome).length;
  return `# PostgREST

The grammar of lists, the preferences and the formats are those of [PostgREST](https://docs.postgrest.org). This page compares the features that its documentation describes for one table: of ${features.length} requests, ${count('same')} have the same result, ${count('different')} a different one, and ${count('absent')} are not supported. The requests are those of a client of Supabase, below \`/rest/v1/\`. The page is written by the test that sends them.

${sections.map(sectionText).join('\n')}`;
}

function sectionText({ title, page, features }: Section): string {
  const rows = features.map(
    (feature) =>
      `| ${cell(feature.feature)} | ${requestText(feature.request)} | ${resultText(feature)} |`,
  );
  return `## ${title}

See [PostgREST's documentation](${page}).

| Feature | Request | Here |
| --- | --- | --- |
${rows.join('\n')}
`;
}

function resultText({ outcome, why }: Feature): string {
  if (outcome === 'same') return 'Same';
  return `${outcome === 'different' ? 'Different' : 'Absent'}: ${cell(why!)}`;
}

function requestText({ method, path, headers = {} }: FeatureRequest): string {
  const address = path.startsWith('/../') ? `/rest/v1/${path.slice(4)}` : `/marathon${path}`;
  const shown = Object.entries(headers)
    .filter(([name, value]) => name !== 'Content-Type' || value !== 'application/json')
    .map(([name, value]) => `, \`${name}: ${value}\``);
  return cell(`\`${method} ${shorten(address)}\`${shown.join('')}`);
}

function shorten(path: string): string {
  return path.length > 120 ? `${path.slice(0, 60)}…` : path;
}

function cell(content: string): string {
  return content.replaceAll('|', String.raw`\|`);
}
