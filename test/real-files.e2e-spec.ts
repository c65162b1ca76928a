import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';

const FOLDER = 'test/files/';
const TABLE = `${FOLDER}README.md`;
/** The rows of the table in the README: file, what it imitates, how it is sent, the answer. */
const ROWS = readFileSync(TABLE, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(/ (?<!\\)\| | \|$|^\| /).slice(1, 5))
  .map(([file, imitates, sent, answer]) => [
    file!.replaceAll('`', '').trim(),
    imitates!.trim(),
    sent!.replaceAll('`', '').trim(),
    answer!.replaceAll('\\|', '|').trim(),
  ]);

describe('a file as people have it', () => {
  let running: RunningApp;
  beforeAll(async () => void (running = await startApp()));
  afterAll(async () => running.close());
  beforeEach(async () => void (await running.http.delete('/marathon/?id=gt.0').expect(200)));

  it.each(ROWS)('%s: %s (%s)', async (file, _, sent, answer) => {
    const [type, query = ''] = sent.split(' with ');
    const url = `${await running.app.getUrl()}/marathon/${query && `?${query}`}`;
    const body = readFileSync(FOLDER + file);
    const headers = { 'Content-Type': type! };
    const response = await fetch(url, { method: 'POST', headers, body });
    const actual = describeAnswer(
      response.status,
      (await response.json()) as Answer,
      await stored(),
    );
    if (process.env.UPDATE_DOCS) writeAnswer(file, sent, actual);
    else expect(actual).toBe(answer);
  });

  const stored = async (): Promise<string[]> => {
    const { body } = await running.http.get('/marathon/?select=name,city,inception_year');
    return body.marathon_list.map((row: object) => Object.values(row).map(String).join(' | '));
  };
});

/** Replaces the last cell of a row in the README. */
function writeAnswer(file: string, sent: string, answer: string): void {
  const lines = readFileSync(TABLE, 'utf8').split('\n');
  const replaced = lines.map((line) =>
    line.startsWith(`| \`${file}\``) && line.includes(`| \`${sent}\` `)
      ? line.replace(/(?<=`\s+\| )(?!.*`\s+\| ).*$/, `${answer.replaceAll('|', '\\|')} |`)
      : line,
  );
  writeFileSync(TABLE, replaced.join('\n'));
}

interface Answer {
  detail: string;
  errors?: { line: number; pointer: string; detail: string }[];
}

function describeAnswer(status: number, { detail, errors }: Answer, rows: string[]): string {
  if (status === 201) return rows.map((row) => row.replaceAll('\n', '↵')).join('; ');
  const lines = errors
    ?.slice(0, 2)
    .map(({ line, pointer, detail: issue }) => `Line ${line}: ${pointer} ${issue}.`);
  return `${status}: ${[detail, ...(lines ?? [])].join(' ')}`;
}
