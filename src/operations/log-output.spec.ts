import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LineBuffer, toBytes } from './line-buffer.js';
import { LogOutput } from './log-output.js';

const LINE = 'a line of thirty bytes: 000000\n';
const BUFFER_BYTES = LINE.length * 2;

describe('The output of the log', () => {
  let folder: string;
  let file: string;
  let fd: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'marathon-log-'));
    file = join(folder, 'log');
    fd = openSync(file, 'w');
  });

  afterEach(async () => {
    closeSync(fd);
    await rm(folder, { recursive: true });
  });

  it('has all lines in order, also if they are faster than the disk', async () => {
    const output = new LogOutput(fd, fail);
    const buffer = new LineBuffer(BUFFER_BYTES);
    const expected = Array.from({ length: 500 }, (_, index) => lineOf(index));
    for (const line of expected) {
      buffer.add(toBytes(line));
      output.write(buffer.take());
    }
    // the test's own limit of time ends this
    while ((await stat(file)).size < expected.join('').length) continue;
    expect(await readFile(file, 'latin1')).toBe(expected.join(''));
  });
});

function lineOf(index: number): string {
  return LINE.replace('000000', String(index).padStart(6, '0'));
}

function fail(message: string): never {
  throw new Error(message);
}
