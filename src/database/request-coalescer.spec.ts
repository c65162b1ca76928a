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
