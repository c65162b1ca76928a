import { randomUUID } from 'node:crypto';
import type { MarathonResponse } from '../../src/marathon/marathon.dto.js';
import type { TestDatabase } from './database.js';
import { pick, random } from './seed.js';

const REQUESTS_PER_BURST = 15;
const RESPONSE_TIMEOUT_MS = 30_000;
const JSON_TYPE = { 'Content-Type': 'application/json' };

type Kind = (url: string) => Promise<unknown>;

interface Call {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: object;
  statuses?: number[];
}

/** The results of all requests so far. */
export interface RequestStatistics {
  requests: number;
  failed: number;
  late: number;
  p50Ms: number;
  p99Ms: number;
  slowestMs: number;
}

/**
 * Sends bursts of requests of every kind, and records what was acknowledged. No two requests of a burst
 * change the same marathon, so that the state after each of them is known.
 */
export class RandomRequests {
  readonly problems: string[] = [];
  private readonly latenciesMs: number[] = [];
  readonly late: string[] = [];
  private fault = '';
  /** The acknowledged state of every marathon; undefined after an acknowledged deletion. */
  private readonly marathons = new Map<number, MarathonResponse | undefined>();
  private readonly deleted: number[] = [];
  private idle: number[] = [];
  private readonly names = new Set<string>();

  constructor(
    private readonly urls: string[],
    private readonly latestMs: number,
  ) {}

  /**
   * Sends a burst of requests during `fault`. If the fault affects one in five statements, only requests with
   * few statements per attempt are sent: a transaction of ten would need ten attempts.
   */
  async burst(fault: string): Promise<void> {
    this.fault = fault;
    this.idle = [...this.marathons.keys()].filter((id) => this.marathons.get(id)).slice(-300);
    const url = pick(this.urls);
    const choices = fault.startsWith('one in ')
      ? this.simpleKinds
      : [...this.simpleKinds, ...this.complexKinds];
    const kinds = Array.from({ length: REQUESTS_PER_BURST }, () => pick(choices));
    await Promise.all(kinds.map(async (kind) => kind(url)));
  }

  get statistics(): RequestStatistics {
    const sorted = this.latenciesMs.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    return {
      requests: sorted.length,
      failed: this.problems.length,
      late: this.late.length,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      slowestMs: at(1),
    };
  }

  /** Acknowledged marathons that are missing, differ, or were created more than once. */
  async compare({ query }: Pick<TestDatabase, 'query'>): Promise<string[]> {
    const rows = (await query('SELECT id, name, city, inception_year FROM marathon')) as never;
    const stored = new Map((rows as MarathonResponse[]).map((row) => [row.id, row]));
    const different = [...this.marathons].filter(
      ([id, marathon]) => JSON.stringify(stored.get(id)) !== JSON.stringify(marathon),
    );
    const created = await query(
      `SELECT record->>'name' AS name, count(*)::integer FROM journal
       WHERE operation = 'create' GROUP BY 1`,
    );
    const counts = new Map(created.map(({ name, count }) => [name, count]));
    return [
      ...different.map(
        ([id, marathon]) =>
          `${id}: acknowledged ${JSON.stringify(marathon)}, stored ${JSON.stringify(stored.get(id))}`,
      ),
      ...[...this.names]
        .filter((name) => counts.get(name) !== 1)
        .map((name) => `${name}: created ${Number(counts.get(name) ?? 0)} times`),
    ];
  }

  /** Requests with one or two statements, or with statements that are retried one by one. */
  private readonly simpleKinds: Kind[] = [
    async (url) => this.createAndRecord(url),
    async (url) => this.createAndRecord(url),
    async (url) => this.createTwice(url),
    async (url) => this.change(url, 'PATCH', () => ({ inception_year: year() })),
    async (url) =>
      this.change(url, 'PUT', () => ({ name: newName(), city: null, inception_year: year() })),
    async (url) => this.remove(url),
    async (url) => this.send(url, {}),
    async (url) => this.send(url, { headers: { 'If-None-Match': '"another"' } }),
    async (url) => this.send(url, { path: '?q=marathon' }),
    async (url) => this.send(url, { path: '?q=marathn' }),
    async (url) => this.send(url, { path: 'stats' }),
    async (url) => this.send(url, { path: 'changes?since=0&limit=5' }),
    async (url) => this.readOne(url),
    async (url) => this.readOne(url, '/history'),
  ];

  /** Requests with a transaction of many statements, which is retried as a whole. */
  private readonly complexKinds: Kind[] = [
    async (url) => this.importMany(url),
    async (url) => this.changeByFilter(url),
    async (url) => this.restore(url),
    async (url) => this.send(url, { path: '?limit=20&order=name' }),
    async (url) =>
      this.send(url, {
        path: '?order=id.desc&limit=5',
        headers: { Prefer: 'count=exact' },
        statuses: [200, 206],
      }),
    async (url) => this.send(url, { path: `?as_of=${secondAgo()}&limit=5` }),
    async (url) => this.send(url, { path: '?q=marathn&limit=5' }),
    async (url) =>
      this.send(url, {
        method: 'POST',
        headers: { ...JSON_TYPE, Prefer: 'tx=rollback' },
        body: { name: 'Dry run' },
        statuses: [201],
      }),
  ];

  private async create(url: string, headers: Record<string, string> = {}, name = newName()) {
    const body = { name, city: 'Boston', inception_year: year() };
    const text = await this.send(url, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body,
      statuses: [201],
    });
    if (text === undefined) return undefined;
    const { id } = JSON.parse(text) as { id: number };
    this.names.add(name);
    return { id, ...body };
  }

  /** Sends one key to two instances concurrently: one marathon, and the same answer. */
  private async createTwice(url: string): Promise<void> {
    const [name, year_] = [newName(), year()];
    const body = { name, city: 'Berlin', inception_year: year_ };
    const headers = { ...JSON_TYPE, 'Idempotency-Key': `"${randomUUID()}"` };
    const call = { method: 'POST', headers, body, statuses: [201] };
    const answers = await Promise.all(
      [url, pick(this.urls)].map(async (to) => this.send(to, call)),
    );
    if (answers.includes(undefined)) return;
    if (answers[0] !== answers[1])
      this.problems.push(`two answers to one key: ${answers.join(' ')}`);
    const { id } = JSON.parse(answers[0]!) as { id: number };
    this.names.add(name);
    this.marathons.set(id, { id, ...body });
  }

  private async importMany(url: string): Promise<void> {
    const names = [newName(), newName()];
    const body = names.map((name) => ({ name }));
    const answer = await this.send(url, {
      method: 'POST',
      headers: JSON_TYPE,
      body,
      statuses: [201],
    });
    if (answer !== undefined) for (const name of names) this.names.add(name);
  }

  /** Takes a marathon that no other request of this burst uses. */
  private takeOne(): number | undefined {
    if (!this.idle.length) return undefined;
    const place = Math.floor(random() * this.idle.length);
    return this.idle.splice(place, 1)[0];
  }

  private async change(url: string, method: string, describe: () => object): Promise<void> {
    const id = this.takeOne();
    if (id === undefined) return this.createAndRecord(url);
    const answer = await this.send(url, {
      path: `${id}`,
      method,
      headers: JSON_TYPE,
      body: describe(),
    });
    this.settle(id, answer === undefined ? answer : (JSON.parse(answer) as MarathonResponse));
  }

  private async changeByFilter(url: string): Promise<void> {
    const id = this.takeOne();
    if (id === undefined) return this.createAndRecord(url);
    const headers = { ...JSON_TYPE, Prefer: 'return=representation' };
    const body = { city: `City ${Math.floor(random() * 1e6)}` };
    const answer = await this.send(url, { path: `?id=eq.${id}`, method: 'PATCH', headers, body });
    const { marathon_list: rows } = JSON.parse(answer ?? '{"marathon_list":[]}') as {
      marathon_list: MarathonResponse[];
    };
    if (rows.length > 1) this.problems.push(`changed ${rows.length} by id=eq.${id}`);
    this.settle(id, rows[0]);
  }

  private async remove(url: string): Promise<void> {
    const id = this.takeOne();
    if (id === undefined) return this.createAndRecord(url);
    const answer = await this.send(url, { path: `${id}`, method: 'DELETE', statuses: [204] });
    if (answer === undefined) return void this.marathons.delete(id);
    this.marathons.set(id, undefined);
    this.deleted.push(id);
  }

  private async restore(url: string): Promise<void> {
    const id = this.deleted.pop();
    if (id === undefined) return this.createAndRecord(url);
    this.marathons.delete(id);
    const answer = await this.send(url, { path: `${id}/restore`, method: 'POST' });
    this.settle(id, answer === undefined ? answer : (JSON.parse(answer) as MarathonResponse));
  }

  private async createAndRecord(url: string): Promise<void> {
    const marathon = await this.create(url);
    if (marathon) this.marathons.set(marathon.id, marathon);
  }

  private async readOne(url: string, what = ''): Promise<void> {
    const id = pick([...this.marathons.keys()]);
    if (id === undefined) return this.createAndRecord(url);
    await this.send(url, { path: `${id}${what}`, statuses: [200, 404] });
  }

  /** After a failure the state is unknown and is not compared. */
  private settle(id: number, marathon: MarathonResponse | undefined): void {
    if (marathon) this.marathons.set(id, marathon);
    else this.marathons.delete(id);
  }

  /** The body of an answer with an expected status. */
  private async send(
    url: string,
    { path = '', method = 'GET', headers, body, statuses = [200] }: Call,
  ) {
    const sentAt = performance.now();
    const signal = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
    let problem: string | undefined;
    let text: string | undefined;
    try {
      const options = { method, headers, body: body && JSON.stringify(body), signal };
      const answer = await fetch(`${url}/marathon/${path}`, options);
      text = await answer.text();
      if (!statuses.includes(answer.status)) problem = `${answer.status} ${text}`;
    } catch (error) {
      problem = String(error);
    }
    const latencyMs = Math.round(performance.now() - sentAt);
    this.latenciesMs.push(latencyMs);
    const request = `${this.fault}: ${method} ${path} after ${latencyMs} ms`;
    if (latencyMs > this.latestMs) this.late.push(`${request} ${JSON.stringify(body)}`);
    if (problem === undefined) return text;
    this.problems.push(`${request}: ${problem}`);
    return undefined;
  }
}

function newName(): string {
  return `Marathon ${randomUUID()}`;
}

function secondAgo(): string {
  return new Date(Date.now() - 1000).toISOString();
}

function year(): number {
  return 1 + Math.floor(random() * 9999);
}
