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
  private readonly minutes = new Map<number, number>();
  private readonly unstored = new Set<number>();
  private timer?: NodeJS.Timeout;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  note(keyId: number): void {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    if (this.minutes.get(keyId) === minute) return;
    this.minutes.set(keyId, minute);
    this.unstored.add(keyId);
    this.timer ??= setTimeout(() => void this.store(), STORE_AFTER_MS);
  }

  /** A failure is logged: the next use is stored a minute later. */
  async store(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ids = [...this.unstored];
    this.unstored.clear();
    if (!ids.length) return;
    const times = ids.map((id) => new Date(this.minutes.get(id)! * MINUTE_MS));
    try {
      await this.dataSource.query(STORE_SQL, [ids, times]);
    } catch (error) {
      this.log.warn(`The last use of API keys was not stored: ${String(error)}`);
    }
  }

  async onModuleDestroy(): Promise<void> {
    if (this.dataSource.isInitialized) await this.store();
    clearTimeout(this.timer);
  }
}
