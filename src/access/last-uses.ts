import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

const MINUTE_MS = 60_000;
const STORE_AFTER_MS = 1000;

const STORE_SQL = `
  UPDATE api_key SET last_used_at = used.at
  FROM unnest($1::integer[], $2::timestamptz[]) AS used (id, at)
  WHERE api_key.id = used.id AND (last_used_at IS NULL OR last_used_at < used.at)`;

/** Keeps when each API key was used last, to the minute: one statement a minute stores all of them. */
@Injectable()
export class LastUses implements OnModuleDestroy {
  private readonly log = new Logger(LastUses.name);
  private readonly usedThisMinute = new Set<number>();
  /** The minute of its last use by the id of a key, in milliseconds since the epoch. */
  private readonly unstored = new Map<number, number>();
  private storing?: NodeJS.Timeout;
  /** Ends the minute. A timer, because reading the clock costs each request. */
  private minute?: NodeJS.Timeout;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  note(keyId: number): void {
    if (!this.usedThisMinute.has(keyId)) this.noteFirst(keyId);
  }

  private noteFirst(keyId: number): void {
    const now = Date.now();
    const sinceMinute = now % MINUTE_MS;
    this.minute ??= setTimeout(() => this.beginMinute(), MINUTE_MS - sinceMinute).unref();
    this.usedThisMinute.add(keyId);
    this.unstored.set(keyId, now - sinceMinute);
    this.storing ??= setTimeout(() => void this.store(), STORE_AFTER_MS);
  }

  private beginMinute(): void {
    this.minute = undefined;
    this.usedThisMinute.clear();
  }

  /** A failure is logged: the next use is stored a minute later. */
  async store(): Promise<void> {
    clearTimeout(this.storing);
    this.storing = undefined;
    const uses = [...this.unstored];
    this.unstored.clear();
    if (!uses.length) return;
    const ids = uses.map(([id]) => id);
    const times = uses.map(([, time]) => new Date(time));
    try {
      await this.dataSource.query(STORE_SQL, [ids, times]);
    } catch (error) {
      this.log.warn(`The last use of API keys was not stored: ${String(error)}`);
    }
  }

  async onModuleDestroy(): Promise<void> {
    if (this.dataSource.isInitialized) await this.store();
    clearTimeout(this.storing);
    clearTimeout(this.minute);
  }
}
