import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { DatabaseStartup } from './database-startup.js';
import { RequestCoalescer } from './request-coalescer.js';

const DATABASE = {
  deadlineMs: 1000,
  async withRetryUntil<T>(_endsAt: number, work: () => Promise<T>): Promise<T> {
    await work();
    return work();
  },
} as unknown as DatabaseStartup;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

it('listens once to a caller whose request is retried', async () => {
  const onDisconnect = jest.fn();
  const execute = jest.fn(async () => {
    // longer than the time after which callers are watched
    jest.advanceTimersByTime(40);
    return 'list';
  });
  const coalescer = new RequestCoalescer<string>(DATABASE);
  expect(await coalescer.read('key', { client: { onDisconnect }, execute })).toBe('list');
  expect(execute).toHaveBeenCalledTimes(2);
  expect(onDisconnect).toHaveBeenCalledTimes(1);
});

it('leaves nothing of an answered request to a major garbage collection', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  const coalescer = new RequestCoalescer<string>(DATABASE);
  const read = async () => {
    const client = { onDisconnect: () => undefined, body: Array.from({ length: 1000 }, () => 0.5) };
    await coalescer.read('key', { client, execute: async () => 'list' });
  };
  const { heapUsed: before } = process.memoryUsage();
  for (let count = 1; count <= 1000; count += 1) {
    await read();
    if (count % 50 === 0) collect({ type: 'minor' });
  }
  collect({ type: 'minor' });
  const { heapUsed } = process.memoryUsage();
  expect((heapUsed - before) / 1000).toBeLessThan(2000);
});
