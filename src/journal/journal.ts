import {
  BadRequestException,
  ConflictException,
  NotFoundException,
  PreconditionFailedException,
} from '@nestjs/common';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { DatabaseOpening } from '../database/opening.js';
import { adopt } from './adoption.js';
import type { ChangeSignal } from './change-signal.js';
import { copyAcross } from './copy-across.js';
import type { GatheredWrites } from './gathered-writes.js';
import type { Operation } from './journal.entity.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { Request, type Database, type Tally, type Write } from './request.js';
import {
  advance,
  copies,
  FIRST,
  FOUND_COUNT,
  remember,
  rememberMany,
  removeFound,
  restore,
  updateFound,
} from './statements.js';
import type { WriteTerms } from './write-terms.js';

/** Many changes as one: SQL as `rememberMany` wants it, and how many records it was made for. */
export interface ManyChanges {
  change: string;
  offered: number;
}

/** Many new records, which `select` finds with their ids, on the connection where they are staged. */
export interface ManyRecords {
  staging: QueryRunner;
  select: string;
  count: number;
}

/** Records that are to be changed: SQL that selects their ids, its values from $4 on. */
export interface Found {
  text: string;
  values: unknown[];
  /** The most that may be changed. */
  most?: number;
}

interface Entry {
  version: number;
  operation: Operation;
  record: object;
}

/** A landing may take longer than other statements may wait for a lock. */
const WAIT_FOR_OTHER_IMPORTS = 'SET LOCAL lock_timeout = 0';

/**
 * Writes the records of one table, and remembers every write in the statement that makes it: the
 * journal and the table are never apart, whoever fails when.
 *
 * A write that is asked for again under one request id is done once, and answered the same.
 * @throws {UnprocessableEntityException} from every write whose request id stands for another one.
 */
export class Journal<T extends Journaled> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly opening: DatabaseOpening,
    private readonly signal: ChangeSignal,
    private readonly table: JournaledTable,
    private readonly gathered: GatheredWrites<T>,
  ) {}

  /** Resolves once it can be written. @throws {DeadlineExceeded} where the database stays away. */
  async opened(): Promise<void> {
    await this.opening.wait();
  }

  /** What `details` does not name is null. */
  async create(details: Partial<T>, terms: WriteTerms): Promise<Journaled> {
    const request = new Request(terms, { create: details });
    const record = await this.write({ request, operation: 'create', changes: details });
    return record!;
  }

  /**
   * Changes what is named in `changes`; a record that is like that already keeps its version.
   * Undefined where there is no such record.
   * @throws {PreconditionFailedException} where it has none of the expected versions.
   */
  async update(id: number, changes: Partial<T>, terms: WriteTerms): Promise<T | undefined> {
    const request = new Request(terms, { update: id, changes });
    const { names, values } = this.sent(changes);
    if (!names.length) return this.find(id, terms);
    const record = await this.write({ request, operation: 'update', id, changes });
    if (record) return record;
    const known = await this.find(id, terms);
    if (!known) return undefined;
    const isLikeThat = names.every((name, index) => known[name as keyof T] === values[index]);
    // what was restored while this write waited, it could not see; and 0 was written past the journal
    return isLikeThat && known.version > 0
      ? known
      : this.adoptAnd(async () => this.update(id, changes, terms));
  }

  /** As `update`; returns the record as it was, with the version that its deletion has. */
  async remove(id: number, terms: WriteTerms): Promise<T | undefined> {
    const request = new Request(terms, { remove: id });
    const record = await this.write({ request, operation: 'delete', id });
    if (record) return record;
    const known = await this.find(id, terms);
    return known && this.adoptAnd(async () => this.remove(id, terms));
  }

  /**
   * Brings a deleted record back under its id, or one that is there to an earlier `version`.
   * Undefined where there never was one.
   * @throws {ConflictException} where no version is named and the record is there.
   * @throws {NotFoundException} where there never was that version.
   */
  async restore(
    id: number,
    version: number | undefined,
    terms: WriteTerms,
  ): Promise<T | undefined> {
    const request = new Request(terms, { restore: id, version });
    return this.inTransaction(terms, async (database) => {
      await adopt(database, this.table);
      const done = await request.recall<T>(database);
      if (done) return done;
      const latest = await this.findEntry(database, id);
      if (!latest) return undefined;
      mustBeExpected(latest.version, terms);
      const wanted = version ? await this.findEntry(database, id, version) : mustBeDeleted(latest);
      if (!wanted) throw new NotFoundException(`There is no version ${version} of ${id}.`);
      const values = [id, latest.version + 1, JSON.stringify(wanted.record)];
      const sql = remember(this.table, restore(this.table));
      const [record] = (await database.query(sql, [...request.values, ...values])) as T[];
      return record;
    });
  }

  /**
   * Changes what is named in `changes` of all records that are found, all or none.
   * @throws {BadRequestException} where that are more than `most`; nothing is changed then.
   * @throws {PreconditionFailedException} where the terms expect the table after another change.
   */
  async updateFound(found: Found, changes: Partial<T>, terms: WriteTerms): Promise<Tally> {
    const { names, values } = this.sent(changes);
    const { text, most, ...find } = found;
    if (!names.length) throw new BadRequestException('The body names nothing that is to change.');
    const change = updateFound(this.table, text, names, FIRST + find.values.length);
    const request = new Request(terms, { updateFound: text, ...find, changes });
    return this.changeFound(request, change, [...find.values, ...values], most);
  }

  /** As `updateFound`. */
  async removeFound({ text, values, most }: Found, terms: WriteTerms): Promise<Tally> {
    const request = new Request(terms, { removeFound: text, values });
    return this.changeFound(request, removeFound(this.table, text), values, most);
  }

  private async changeFound(request: Request, change: string, values: unknown[], most = Infinity) {
    return this.inTransaction(request.terms, async (database) => {
      const seq = await adopt(database, this.table);
      const done = await request.recallTally(database);
      if (done) return done;
      mustBeExpected(seq, request.terms);
      const sql = rememberMany(this.table, change, FOUND_COUNT);
      const [tally] = (await database.query(sql, [...request.values, ...values])) as Tally[];
      const count = tally!.updated + tally!.deleted;
      if (count <= most) return tally!;
      throw new BadRequestException(
        `That would be ${count}, and max-affected allows ${most}: nothing was changed.`,
      );
    });
  }

  /** Does many changes, all or none. `prepare` works in the same transaction, but holds no writer up. */
  async changeMany(
    terms: WriteTerms,
    intent: object,
    prepare: (runner: QueryRunner) => Promise<ManyChanges>,
  ): Promise<Tally> {
    return this.inTransaction(terms, async (database) => {
      const { change, offered } = await prepare(database.queryRunner!);
      const request = new Request(terms, intent);
      await database.query(WAIT_FOR_OTHER_IMPORTS);
      await adopt(database, this.table);
      const done = await request.recallTally(database);
      if (done) return done;
      const sql = rememberMany(this.table, change, offered);
      const [tally] = (await database.query(sql, request.values)) as Tally[];
      return tally!;
    });
  }

  /**
   * Creates many records, all or none. They go from one connection to another by COPY, in which
   * PostgreSQL is about twice as fast as in INSERT; the service only passes the bytes on.
   */
  async createMany(terms: WriteTerms, intent: object, records: ManyRecords): Promise<Tally> {
    const { staging, select, count } = records;
    const request = new Request(terms, intent);
    return this.inTransaction(terms, async (database) => {
      const { queryRunner: landing } = database;
      await database.query(WAIT_FOR_OTHER_IMPORTS);
      const seq = await adopt(database, this.table);
      const done = await request.recallTally(database);
      if (done) return done;
      const { asRecords, asEntries } = copies(this.table, select, seq);
      await copyAcross(staging, landing!, asRecords);
      await copyAcross(staging, landing!, asEntries);
      await database.query(advance(count), request.values);
      return { inserted: count, updated: 0, deleted: 0, skipped: 0 };
    });
  }

  /** Undefined where nothing was changed, now or by the same request before. */
  private async write(write: Write): Promise<T | undefined> {
    const { request } = write;
    const record = request.terms.isRehearsal
      ? await this.gathered.rehearse(write)
      : await this.gathered.write(write);
    this.signal.nudge();
    return record ?? request.recall<T>(this.dataSource);
  }

  private async find(id: number, terms: WriteTerms): Promise<T | undefined> {
    const { name, list } = this.table;
    const sql = `SELECT id, ${list}, version FROM ${name} WHERE id = $1`;
    const [record] = (await this.dataSource.query(sql, [id])) as T[];
    if (record) mustBeExpected(Math.max(1, record.version), terms);
    return record;
  }

  private async findEntry(database: Database, id: number, version?: number) {
    const sql = `SELECT version, operation, record FROM journal
                 WHERE record_id = $1 AND ($2::integer IS NULL OR version = $2)
                 ORDER BY version DESC LIMIT 1`;
    const [entry] = (await database.query(sql, [id, version])) as Entry[];
    return entry;
  }

  /** Takes over what was written past the journal, and then does it again. */
  private async adoptAnd<R>(again: () => Promise<R>): Promise<R> {
    await this.dataSource.transaction(async (database) => adopt(database, this.table));
    return again();
  }

  private async inTransaction<R>(
    { isRehearsal }: WriteTerms,
    work: (database: EntityManager) => Promise<R>,
  ): Promise<R> {
    try {
      return await this.dataSource.transaction(async (database) => {
        const answer = await work(database);
        if (isRehearsal) throw new Rehearsed(answer);
        return answer;
      });
    } catch (error) {
      if (error instanceof Rehearsed) return error.answer as R;
      throw error;
    } finally {
      this.signal.nudge();
    }
  }

  private sent(details: Partial<T>) {
    const members = details as Record<string, unknown>;
    const names = this.table.columns.filter((name) => members[name] !== undefined);
    return { names, values: names.map((name) => members[name]) };
  }
}

/** Ends a rehearsal's transaction, so that nothing is stored. */
class Rehearsed extends Error {
  constructor(readonly answer: unknown) {
    super('A rehearsal ended.');
  }
}

function mustBeExpected(version: number, { expectedVersions }: WriteTerms): void {
  if (!expectedVersions || expectedVersions.includes(version)) return;
  throw new PreconditionFailedException(
    `It is in version ${version} by now: read it again, and decide anew.`,
  );
}

function mustBeDeleted(entry: Entry): Entry {
  if (entry.operation === 'delete') return entry;
  throw new ConflictException(
    'It is not deleted. To bring back an earlier state, name its version, as in ?version=2.',
  );
}
