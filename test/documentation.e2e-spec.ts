import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROBLEMS, typeOf, type ProblemCode } from '../src/problems/problems.js';
import { startApp, type RunningApp } from './support/app.js';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENTED_URL = 'http://127.0.0.1:3000';
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

interface Example {
  command: string;
  output: string;
}

/** The commands of the `console` blocks of a page, each with the output below it. */
function examplesOf(page: string): Example[] {
  const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(/^```console\n(.*?)^```/gms);
  return [...blocks].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.trim().split('\n');
        return { command, output: output.join('\n') };
      }),
  );
}

/** In a documented output, an ellipsis is any text. */
function pattern(output: string): RegExp {
  const parts = output.split('…').map((part) => part.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*?')}$`);
}

describe.each(PAGES.filter((page) => examplesOf(page).length))('the examples of %s', (page) => {
  let running: RunningApp;
  let url: string;
  beforeAll(async () => {
    running = await startApp();
    url = await running.app.getUrl();
  });
  afterAll(async () => running.close());

  it.each(examplesOf(page))('$command', async ({ command, output }) => {
    const script = command.replaceAll(DOCUMENTED_URL, url).replace(/^curl /, 'curl -sS ');
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: ROOT });
    expect(stderr).toBe('');
    expect(stdout.trim()).toMatch(pattern(output));
  });
});

describe('the documentation', () => {
  const errors = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');

  it.each(Object.entries(PROBLEMS))('describes the error %s', (code, [status, title]) => {
    expect(errors).toContain(`### ${code}\n\nStatus ${status}.`);
    expect(errors).toMatch(
      new RegExp(`\\[\`${code}\`\\]\\(#${code}\\) *\\| ${status} *\\| ${title} `),
    );
  });

  it('describes no other error', () => {
    const described = [...errors.matchAll(/^### (\w+)$/gm)].map(([, code]) => code);
    expect(described).toEqual(Object.keys(PROBLEMS));
  });

  it.each(PAGES)('links to existing pages only: %s', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const targets = [...text.matchAll(/\]\(([^)#:]+\.md)(#[^)]*)?\)/g)].map(([, file]) => file!);
    const missing = targets.filter((file) => !existsSync(join(ROOT, page, '..', file)));
    expect(missing).toEqual([]);
  });
});

describe('the address of a problem', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());

  it.each(Object.keys(PROBLEMS) as ProblemCode[])('describes %s', async (code) => {
    const { text, headers } = await running.http.get(typeOf(code)).expect(200);
    expect(text).toMatch(new RegExp(`^${code}\n\nStatus ${PROBLEMS[code][0]}\\.`));
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('is 404 for other problems', async () => {
    const { body } = await running.http.get('/problems/nothing').expect(404);
    expect(body.code).toBe('unknown_address');
  });
});
