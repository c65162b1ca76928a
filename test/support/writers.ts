import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { ChangeResponse, MarathonResponse } from '../../src/marathon/marathon.dto.js';

/** An acknowledged write, and its version. */
interface Acknowledged {
  id: number;
  version: number;
  marathon: MarathonResponse;
}

const MAX_ATTEMPTS = 300;
const RETRY_MS = 100;

/** Clients that create, update, delete and restore randomly, and record acknowledged writes. */
export class Writers {
  readonly acknowledged: Acknowledged[] = [];
  readonly failures: string[] = [];
  requestCount = 0;

  constructor(private readonly urls: string[]) {}

  async write(clients: number, until: AbortSignal): Promise<void> {
    const writeAsOne = async (client: number) => {
      const url = this.urls[client % this.urls.length]!;
      for (;;) {
        if (until.aborted) return;
        await this.writeOnce(url);
      }
    };
    await Promise.all(Array.from({ length: clients }, async (_, client) => writeAsOne(client)));
  }

  async create(url: string, name: string, year = 2000, headers = {}): Promise<void> {
    const body = { name, city: null, inception_year: year };
    const answer = await this.ask(url, 'POST', '', body, headers);
    if (!answer) return;
    const { id } = JSON.parse(answer.text) as { id: number };
    this.acknowledged.push({ id, version: 1, marathon: { id, ...body } });
  }

  /** As `create`, repeated until it is acknowledged, for at least half a minute. */
  async createSurely(url: string, name: string): Promise<void> {
    const key = { 'Idempotency-Key': `"${randomUUID()}"` };
    const { length } = this.acknowledged;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      await this.create(url, name, 2000, key);
      if (this.acknowledged.length > length) return;
      await wait(RETRY_MS);
    }
    throw new Error(`${name} was not created: ${this.failures.at(-1)}`);
  }

  private async writeOnce(url: string): Promise<void> {
    const { length } = this.acknowledged;
    const known = length && this.acknowledged.at(-randomInt(1, 1 + Math.min(100, length)))!.id;
    const kind = known ? randomInt(6) : 0;
    if (kind > 1) await this.change(url, known, kind);
    else await this.createMaybeTwice(url);
  }

  private async createMaybeTwice(url: string): Promise<void> {
    const key = { 'Idempotency-Key': `"${randomUUID()}"` };
    const name = randomUUID();
    const times = Array.from({ length: randomInt(1, 3) });
    const year = randomInt(1, 10_000);
    await Promise.all(times.map(async () => this.create(url, name, year, key)));
  }

  private async change(url: string, id: number, kind: number): Promise<void> {
    const [path, method, body] = [
      [`${id}`, 'DELETE'],
      [`${id}/restore`, 'POST'],
      [`${id}`, 'PATCH', { inception_year: randomInt(1, 10_000) }],
      [`${id}`, 'PUT', { name: randomUUID(), city: randomUUID().slice(0, 8) }],
    ][kind - 2] as [string, string, object | undefined];
    const answer = await this.ask(url, method, path, body);
    if (!answer?.version) return;
    const marathon = JSON.parse(answer.text) as MarathonResponse;
    this.acknowledged.push({ id, version: answer.version, marathon });
  }

  /** Undefined if the request failed, or had nothing to do. */
  private async ask(url: string, method: string, path: string, body?: object, headers = {}) {
    this.requestCount += 1;
    const type: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
    try {
      const answer = await fetch(`${url}/marathon/${path}`, {
        method,
        headers: { ...type, ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await answer.text();
      if (answer.ok) return { text, version: Number(answer.headers.get('etag')?.slice(1, -1)) };
      if (answer.status !== 404 && answer.status !== 409) this.fail(`${answer.status} ${text}`);
    } catch (error) {
      this.fail(String(error));
    }
    return undefined;
  }

  private fail(failure: string): void {
    this.failures.push(failure);
  }
}

/** Resolves when that many more writes are acknowledged. */
export async function untilMore({ acknowledged }: Writers, count: number): Promise<void> {
  const enough = acknowledged.length + count;
  while (acknowledged.length < enough) await wait(5);
}

/** The table after these changes. */
export function replay(changes: ChangeResponse[]): MarathonResponse[] {
  const marathons = new Map<number, MarathonResponse>();
  for (const { operation, marathon } of changes) {
    if (operation === 'delete') marathons.delete(marathon.id);
    else marathons.set(marathon.id, marathon);
  }
  return [...marathons.values()].toSorted((a, b) => a.id - b.id);
}
