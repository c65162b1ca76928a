import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { shareCalls, type Batcher } from '../database/batcher.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { queryPrepared } from '../database/prepared-statements.js';
import type { Deadline } from '../pool/deadline.js';
import { KnownKeys, type StoredKey } from './known-keys.js';

/** After this time the keys are fetched again while requests are still checked by the old ones. */
const REFRESH_AFTER_MS = 400;
/** A revoked key is refused within a second on every instance: older keys are not used. */
const MAX_AGE_MS = 800;

/** Returns the keys only if one of them changed since the sum of revisions was $1. */
const KEYS_SQL = `
  WITH state AS (SELECT coalesce(sum(revision), 0)::text AS revision FROM api_key)
  SELECT revision, CASE WHEN revision <> $1 THEN (
    SELECT coalesce(json_agg(json_build_object(
      'id', id, 'name', name, 'role', role, 'hash', hash,
      'expires_at', extract(epoch FROM expires_at) * 1000,
      'revoked_at', extract(epoch FROM revoked_at) * 1000)), '[]') FROM api_key) END AS keys
  FROM state`;

/**
 * Keeps the API keys in memory, so that checking one costs no query. They are fetched at most every 400 ms,
 * and only while requests have keys, so that a serverless database can suspend.
 */
@Injectable()
export class ApiKeyCache {
  private readonly log = new Logger(ApiKeyCache.name);
  private readonly batcher: Batcher<true, void>;
  private known = new KnownKeys([]);
  private revision = '';
  private fetchedAt = -Infinity;
  private isRefreshing = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseStartup,
  ) {
    this.batcher = shareCalls(database, async (deadline) => this.fetch(deadline), 'api-key');
  }

  /** Whether `find` may be called; otherwise `refresh` first. Fetches the keys ahead of time. */
  get isFresh(): boolean {
    const ageMs = Date.now() - this.fetchedAt;
    if (ageMs > MAX_AGE_MS) return false;
    if (ageMs > REFRESH_AFTER_MS && !this.isRefreshing) void this.refreshInBackground();
    return true;
  }

  /** @throws {DeadlineExceededError} at `endsAt`, if the database does not answer. */
  async refresh(endsAt?: number): Promise<void> {
    await this.batcher.load(true, endsAt);
  }

  find(text: string): StoredKey | undefined {
    return this.known.find(text);
  }

  private async refreshInBackground(): Promise<void> {
    this.isRefreshing = true;
    try {
      await this.refresh();
    } catch (error) {
      this.log.warn(`The API keys were not fetched: ${String(error)}`);
    } finally {
      this.isRefreshing = false;
    }
  }

  private async fetch(deadline: Deadline): Promise<void> {
    const startedAt = Date.now();
    type Row = { revision: string; keys: StoredKey[] | null };
    const [row] = await queryPrepared<Row>(this.dataSource, deadline, KEYS_SQL, [this.revision]);
    if (row!.keys) this.known = new KnownKeys(row!.keys);
    this.revision = row!.revision;
    this.fetchedAt = startedAt;
  }
}
