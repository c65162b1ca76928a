import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/app.js';
import { startProxy, type Link } from './support/proxy.js';

const COUNT = 60_000;

describe('a long list whose connection fails', () => {
  let running: RunningApp;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let url: string;
  beforeAll(async () => {
    running = await startApp({}, async (database) => {
      proxy = await startProxy(database);
      return proxy.url;
    });
    url = await running.app.getUrl();
    const rows = Array.from({ length: COUNT }, (_, index) => `Marathon number ${index}`);
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    await csv.send(`name\n${rows.join('\n')}\n`).expect(201);
    // now it is known to be long, and is streamed without buffering for others
    await (await fetch(`${url}/marathon/?format=ndjson`)).text();
  });
  beforeEach(() => proxy.breakBy({}));
  afterAll(async () => {
    await running.close();
    await proxy.close();
  });

  it('never looks complete if it fails in the middle', async () => {
    let bytesOfLists = 0;
    proxy.breakBy({
      onAnswer: ({ toService }: Link, bytes) => {
        bytesOfLists += bytes.length;
        if (bytesOfLists < 2_500_000) return true;
        toService.resetAndDestroy();
        return false;
      },
    });
    const answer = await fetch(`${url}/marathon/?format=ndjson`);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  it('is read again if nothing was sent yet', async () => {
    let cuts = 0;
    proxy.breakBy({
      onAnswer: ({ toService }: Link, bytes) => {
        if (cuts || !bytes.includes('Marathon number 3"')) return true;
        cuts += 1;
        toService.resetAndDestroy();
        return false;
      },
    });
    const text = await (await fetch(`${url}/marathon/?format=ndjson`)).text();
    expect(cuts).toBe(1);
    expect(text.match(/"id":/g)).toHaveLength(COUNT);
  });
});
