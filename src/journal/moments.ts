import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Deadline } from '../database/deadline.js';
import { hasErrorCode } from '../database/error-code.js';
import { Gatherer } from '../database/gatherer.js';
import { DatabaseOpening } from '../database/opening.js';
import { queryPrepared } from '../database/prepared.js';

/** How far the database had come when it was asked. */
export interface Moment {
  /** The number of the last change, 0 before the first. */
  seq: number;
  /**
   * Where two moments have the same one, nothing was committed between them, by whomever, past the
   * journal too. Undefined where the server cannot tell.
   */
  state?: string;
}

const SEQ = '(SELECT seq FROM journal_head) AS seq';

/**
 * A snapshot names all transactions that it sees, and on a primary later ones only see more. The number
 * of one that was undone may be given again after a crash, which ends with a checkpoint, or by another
 * server, which started at another time. A standby's snapshots are not exact.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
const STATE = `CASE WHEN NOT pg_is_in_recovery() THEN concat_ws(' ',
  pg_current_snapshot(), pg_postmaster_start_time(), (pg_control_checkpoint()).checkpoint_lsn) END AS state`;

/** What is said of such functions by a server that is not quite PostgreSQL, or older than 13. */
const [UNKNOWN_FUNCTION, NOT_SUPPORTED, NOT_ALLOWED] = ['42883', '0A000', '42501'];

/** Asks the database how far it is: once for all who want to know at the same time. */
@Injectable()
export class Moments {
  private readonly log = new Logger(Moments.name);
  private readonly gatherer: Gatherer<true, Moment>;
  private question = `SELECT ${SEQ}, ${STATE}`;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    opening: DatabaseOpening,
  ) {
    this.gatherer = new Gatherer(opening, async (asked, deadline) => {
      const moment = await this.find(deadline);
      return asked.map(() => moment);
    });
  }

  /** One that was not over when this was called. @throws {DeadlineExceeded} at `endsAt` at the latest. */
  now(endsAt?: number): Promise<Moment> {
    return this.gatherer.load(true, endsAt);
  }

  private async find(deadline: Deadline): Promise<Moment> {
    try {
      return await this.ask(deadline);
    } catch (error) {
      if (!hasErrorCode(error, UNKNOWN_FUNCTION, NOT_SUPPORTED, NOT_ALLOWED)) throw error;
      this.log.log(`Lists are read anew each time, since the server cannot tell: ${String(error)}`);
      this.question = `SELECT ${SEQ}`;
      return this.ask(deadline);
    }
  }

  private async ask(deadline: Deadline): Promise<Moment> {
    type Row = { seq: string | null; state?: string | null };
    const [row] = await queryPrepared<Row>(this.dataSource, deadline, this.question);
    return { seq: Number(row!.seq ?? 0), state: row!.state ?? undefined };
  }
}
