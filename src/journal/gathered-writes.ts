import type { DataSource } from 'typeorm';
import type { Deadline } from '../database/deadline.js';
import { isDatabaseAway, isDuplicate } from '../database/failures.js';
import { Gatherer } from '../database/gatherer.js';
import type { DatabaseOpening } from '../database/opening.js';
import { Pipeline } from '../database/pipeline.js';
import { queryPrepared } from '../database/prepared.js';
import { Slots } from '../database/slots.js';
import { environment } from '../environment.js';
import { describeChanges, rememberChanges } from './grouped-changes.js';
import { describeCreations, locateCreations, rememberCreations } from './grouped-creations.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { recallAll, type Database, type Location, type Write } from './request.js';

const LONGEST_QUEUE = 1000;

type Query = (text: string, values: unknown[]) => Promise<unknown[]>;

/**
 * Writes that are asked for at once, as one statement: they share the way to the database, the turn at
 * the head row and the commit. Each is answered for itself, as if it had come alone.
 */
export class GatheredWrites<T extends Journaled> {
  private readonly gatherer: Gatherer<Write, T | undefined>;
  private readonly pipeline: Pipeline;
  private creations?: string;
  private changes?: string;
  /** While an import holds the head row, those who wait for it must not hold every connection. */
  private readonly places = new Slots<void>(Math.ceil(environment.poolSize / 2), LONGEST_QUEUE);

  constructor(
    private readonly dataSource: DataSource,
    private readonly opening: DatabaseOpening,
    private readonly table: JournaledTable,
  ) {
    this.gatherer = new Gatherer(opening, async (writes, deadline) =>
      this.writeInTurn(writes, deadline),
    );
    this.pipeline = new Pipeline(dataSource);
  }

  /** Undefined where nothing was changed. */
  write(write: Write): Promise<T | undefined> {
    return this.gatherer.load(write);
  }

  /** As `write`, alone, and nothing is stored; undefined also where the request was done before. */
  async rehearse(write: Write): Promise<T | undefined> {
    try {
      return await this.opening.persist(async () => this.writeAndForget(write));
    } catch (error) {
      if (!isDuplicate(error, 'journal_request')) throw error;
      return undefined;
    }
  }

  private async writeAndForget(write: Write): Promise<T | undefined> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const [done] = await this.writeGroup([write], async (...sql) => runner.query(...sql));
      await runner.rollbackTransaction();
      return done?.[1];
    } finally {
      // one that is still in its transaction is not taken back by the pool
      await runner.release();
    }
  }

  private async writeInTurn(writes: readonly Write[], deadline: Deadline) {
    await this.places.take(deadline.endsAt - Date.now());
    try {
      return await this.writeAll(writes, deadline);
    } finally {
      this.places.giveBack();
    }
  }

  private async writeAll(
    writes: readonly Write[],
    deadline: Deadline,
  ): Promise<(T | Error | undefined)[]> {
    const answers = new Map<Write, T | Error | undefined>();
    let rest = [...writes];
    while (rest.length) {
      for (const [write, answer] of await this.writeSome(rest, deadline))
        answers.set(write, answer);
      rest = rest.filter((write) => !answers.has(write));
    }
    return writes.map((write) => answers.get(write));
  }

  /** A bad one does not spoil the others: where a group fails, each is tried alone. */
  private async writeSome(
    writes: Write[],
    deadline: Deadline,
  ): Promise<[Write, T | Error | undefined][]> {
    const group = chooseGroup(writes);
    try {
      return await this.writeGroup(group, async (...sql) => this.pipeline.query(deadline, ...sql));
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      // whatever failed: it may have been done before, and only its answer was lost
      const locations = isCreation(group[0]!) ? locateCreations(group) : group.map(locate);
      const all = [...locations, ...locateOthers(group, writes)];
      const done = await this.recall(all, writes, deadline);
      if (done.length) return done;
      if (group.length === 1) return [[group[0]!, error as Error]];
      return this.writeEach(group, locations, deadline);
    }
  }

  /**
   * One after the other. The first shares its id with the group: where it was done, so perhaps were the
   * others, by an attempt whose connection was lost and that has come through meanwhile.
   */
  private async writeEach(
    [first, ...others]: Write[],
    locations: Location[],
    deadline: Deadline,
  ): Promise<[Write, T | Error | undefined][]> {
    for (const { request } of [first!, ...others]) request.standAlone();
    const answers = await this.writeSome([first!], deadline);
    const done = await this.recall(locations, others, deadline);
    if (done.length) return [...answers, ...done];
    for (const write of others) answers.push(...(await this.writeSome([write], deadline)));
    return answers;
  }

  /** Writes all of them, or none; each of another record, and each with another request. */
  private async writeGroup(writes: Write[], query: Query): Promise<[Write, T | undefined][]> {
    const isOfNew = isCreation(writes[0]!);
    const { ordered, values, read } = isOfNew
      ? describeCreations<T>(writes)
      : describeChanges<T>(writes);
    const text = isOfNew
      ? (this.creations ?? (await this.prepareCreations(query)))
      : (this.changes ?? this.prepareChanges());
    const records = read(await query(text, values));
    return ordered.map((write, place) => [write, records[place]]);
  }

  /** What was done before of some writes. */
  private async recall(
    locations: Location[],
    writes: Write[],
    deadline: Deadline,
  ): Promise<[Write, T | Error][]> {
    const query: Database['query'] = async (sql, values: unknown[]) =>
      queryPrepared(this.dataSource, deadline, sql, values) as never;
    const answers = await recallAll<T>({ query }, locations);
    return writes.flatMap((write) => {
      const answer = answers.get(write.request);
      return answer ? [[write, answer]] : [];
    });
  }

  /** Where ids come from is asked once: to look it up takes longer than to store a record. */
  private async prepareCreations(query: Query): Promise<string> {
    const sql = `SELECT pg_get_serial_sequence($1, 'id') AS sequence`;
    const [found] = (await query(sql, [this.table.name])) as { sequence: string | null }[];
    if (!found?.sequence) throw new Error(`The column id of ${this.table.name} has no sequence.`);
    return (this.creations = rememberCreations(this.table, found.sequence));
  }

  /** The table's columns are known once the database is open. */
  private prepareChanges(): string {
    return (this.changes = rememberChanges(this.table));
  }
}

function isCreation({ operation }: Write): boolean {
  return operation === 'create';
}

function locate({ request }: Write): Location {
  return request.location;
}

/** Of the writes beside a group, those that have a key. */
function locateOthers(group: Write[], writes: Write[]): Location[] {
  return writes
    .filter((write) => write.request.terms.isKeyed && !group.includes(write))
    .map(locate);
}

/**
 * The writes that create, and where there are none of them those that change: the first of every record
 * and of every request, since the next would have to see what that one did.
 */
function chooseGroup(writes: Write[]): Write[] {
  const creations = writes.filter(isCreation);
  const [requests, records] = [new Set<string>(), new Set<number>()];
  return (creations.length ? creations : writes).filter(({ request, id }) => {
    if (requests.has(request.id) || (id !== undefined && records.has(id))) return false;
    requests.add(request.id);
    if (id !== undefined) records.add(id);
    return true;
  });
}
