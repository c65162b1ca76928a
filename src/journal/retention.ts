import { setTimeout as wait } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { isDistributed } from '../database/distribution.js';
import { DatabaseStartup } from '../database/database-startup.js';

const [FIRST_RUN_MS, INTERVAL_MS] = [60_000, 3_600_000];
/** Short transactions, so that a standby and other clients are not delayed. */
const CHANGES_PER_TRANSACTION = 5000;
const PAUSE_MS = 50;
const HOUR_MS = 3_600_000;
/** Any number that no other program uses. One instance at a time prunes. */
const RETENTION_LOCK = 4_219_500_043;

/** How far the journal is pruned. */
interface Progress {
  /** The last change of the time before `history_from`. */
  history_seq: number;
  /** Up to which change replaced versions are deleted. */
  pruned_seq: number;
  /** Up to which change the keys of requests are forgotten. */
  keys_seq: number;
}

type Step = (manager: EntityManager, from: number, to: number) => Promise<void>;

const PROGRESS_SQL = `
  SELECT history_seq::float8, pruned_seq::float8, keys_seq::float8 FROM journal_retention`;
const LAST_SEQ_SQL = `
  SELECT coalesce(max(last_seq), 0)::float8 AS seq FROM journal_request WHERE at < $1`;

/** Before a version is deleted, reads of times that need it are refused. */
const BEGIN_HISTORY_SQL = `
  UPDATE journal_retention SET history_seq = $1, history_from = $2 WHERE history_seq < $1`;

/** The latest version of the time is kept: every later time can be read, and deleted records be restored. */
const DELETE_REPLACED_SQL = `
  DELETE FROM journal AS replaced USING journal AS later
  WHERE later.seq > $1 AND later.seq <= $2
    AND replaced.record_id = later.record_id AND replaced.version < later.version
  RETURNING replaced.seq::float8`;

/** The requests of deleted changes, if none of their changes is left. */
const DELETE_EMPTY_REQUESTS_SQL = `
  DELETE FROM journal_request AS request
  WHERE first_seq IN (
      SELECT (SELECT max(first_seq) FROM journal_request WHERE first_seq <= seq)
      FROM unnest($1::bigint[]) AS deleted (seq))
    AND NOT EXISTS (SELECT FROM journal WHERE seq BETWEEN request.first_seq AND request.last_seq)`;

const FORGET_KEYS_SQL = `
  UPDATE journal_request SET request_id = 'forgotten/' || first_seq, fingerprint = NULL
  WHERE first_seq > $1 AND first_seq <= $2 AND fingerprint IS NOT NULL`;

/** Requests that changed nothing. */
const DELETE_IDLE_REQUESTS_SQL = 'DELETE FROM journal_request WHERE first_seq IS NULL AND at < $1';

/**
 * Prunes the journal in the background, once an hour: forgets Idempotency-Keys after `IDEMPOTENCY_HOURS`, and deletes
 * versions that were replaced more than `JOURNAL_DAYS` ago. Both are off by default. It works in short transactions
 * that lock nothing but what they delete.
 */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new Logger(Retention.name);
  private readonly ending = new AbortController();
  private running?: Promise<void>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectSettings() private readonly settings: Settings,
    private readonly database: DatabaseStartup,
  ) {}

  onApplicationBootstrap(): void {
    const { journalDays, idempotencyHours } = this.settings;
    if (journalDays || idempotencyHours) this.running = this.runHourly();
  }

  async onModuleDestroy(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  /** Prunes what is due at `now`. */
  async prune(now = Date.now()): Promise<void> {
    const { journalDays, idempotencyHours } = this.settings;
    const historyHours = journalDays ? journalDays * 24 : Infinity;
    // the result of a repeated request is read from the journal
    const keyHours = Math.min(idempotencyHours || Infinity, historyHours);
    if (keyHours < Infinity) await this.forgetKeys(new Date(now - keyHours * HOUR_MS));
    if (historyHours < Infinity) await this.pruneHistory(new Date(now - historyHours * HOUR_MS));
  }

  private async runHourly(): Promise<void> {
    const { signal } = this.ending;
    let delayMs = FIRST_RUN_MS;
    while (await wait(delayMs, true, { signal, ref: false }).catch(() => false)) {
      delayMs = INTERVAL_MS;
      try {
        await this.prune();
      } catch (error) {
        this.log.warn(`The journal was not pruned, and will be in an hour: ${String(error)}`);
      }
    }
  }

  private async forgetKeys(before: Date): Promise<void> {
    const last = await this.findLastSeq(before);
    await this.dataSource.query(DELETE_IDLE_REQUESTS_SQL, [before]);
    await this.stepThrough('keys_seq', last, async (manager, from, to) => {
      await manager.query(FORGET_KEYS_SQL, [from, to]);
    });
  }

  private async pruneHistory(before: Date): Promise<void> {
    const last = await this.findLastSeq(before);
    await this.dataSource.query(BEGIN_HISTORY_SQL, [last, before]);
    await this.stepThrough('pruned_seq', last, async (manager, from, to) => {
      const [deleted] = (await manager.query(DELETE_REPLACED_SQL, [from, to])) as [
        { seq: number }[],
      ];
      const numbers = deleted.map(({ seq }) => seq);
      // where the journal is on several servers, the requests stay: they are compared with it one by one
      if (!numbers.length || isDistributed(this.dataSource)) return;
      await manager.query(DELETE_EMPTY_REQUESTS_SQL, [numbers]);
    });
  }

  private async findLastSeq(before: Date): Promise<number> {
    const [last] = (await this.dataSource.query(LAST_SEQ_SQL, [before])) as { seq: number }[];
    return last!.seq;
  }

  /** Works from where it was left to the change `last`. A failure leaves the rest for the next time. */
  private async stepThrough(column: keyof Progress, last: number, work: Step): Promise<void> {
    while (!this.ending.signal.aborted) {
      const isDone = await this.database.withLongStatements(async () =>
        this.step(column, last, work),
      );
      if (isDone) return;
      await wait(PAUSE_MS);
    }
  }

  /** Returns whether nothing is left to do, or another instance does it. */
  private async step(column: keyof Progress, last: number, work: Step): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const [lock] = (await manager.query('SELECT pg_try_advisory_xact_lock($1) AS "isHeld"', [
        RETENTION_LOCK,
      ])) as { isHeld: boolean }[];
      if (!lock!.isHeld) return true;
      const [progress] = (await manager.query(PROGRESS_SQL)) as Progress[];
      const from = progress![column];
      const to = Math.min(last, await this.findEnd(manager, from));
      if (to <= from) return true;
      await work(manager, from, to);
      await manager.query(`UPDATE journal_retention SET ${column} = $1`, [to]);
      return to === last;
    });
  }

  /** The last of the changes of one transaction. There are gaps where changes were deleted, or lost by a failover. */
  private async findEnd(manager: EntityManager, from: number): Promise<number> {
    const [end] = (await manager.query(
      `SELECT coalesce(max(seq), $1)::float8 AS seq
       FROM (SELECT seq FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2) AS next`,
      [from, CHANGES_PER_TRANSACTION],
    )) as { seq: number }[];
    return end!.seq;
  }
}
