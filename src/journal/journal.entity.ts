import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** One row, which every write updates. This makes `seq` gapless and its order that of the commits. */
@Entity()
export class JournalHead {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  @Column({ type: 'bigint' })
  seq!: string;

  /** Never decreases along `seq`, even if the clock does. */
  @Column({ type: 'timestamp with time zone', precision: 3 })
  at!: Date;

  /** The cluster that the data is from. A restored backup goes on in another one. */
  @Column({ type: 'text', nullable: true })
  system!: string | null;

  /** That of the last write. A promoted standby has a larger one. */
  @Column({ type: 'integer', nullable: true })
  timeline!: number | null;
}

/** One row: how far the journal is pruned. See `retention.ts`. */
@Entity()
export class JournalRetention {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  /** Earlier times cannot be read; null if all can. */
  @Column({ type: 'timestamp with time zone', nullable: true })
  history_from!: Date | null;

  /** The last change before that time. */
  @Column({ type: 'bigint', default: 0 })
  history_seq!: string;

  /** Versions that were replaced by a change up to this one are deleted. */
  @Column({ type: 'bigint', default: 0 })
  pruned_seq!: string;

  /** The keys of requests up to this change are forgotten. */
  @Column({ type: 'bigint', default: 0 })
  keys_seq!: string;
}

/** A write request, with its changes from `first_seq` to `last_seq`; null if it changed nothing. */
@Entity()
export class JournalRequest {
  /** The Idempotency-Key, or an id of the service. It is unique, so a repeated request conflicts. */
  @PrimaryColumn({ type: 'text' })
  request_id!: string;

  @Index({ unique: true })
  @Column({ type: 'bigint', nullable: true })
  first_seq!: string | null;

  @Column({ type: 'bigint', nullable: true })
  last_seq!: string | null;

  /** How many records the request left unchanged. */
  @Column({ type: 'integer', default: 0 })
  skipped!: number;

  @Column({ type: 'timestamp with time zone', precision: 3 })
  at!: Date;

  @Column({ type: 'text', nullable: true })
  by!: string | null;

  /** A hash of the request: distinguishes a repeated request from another one with the same key. */
  @Column({ type: 'text', nullable: true })
  fingerprint!: string | null;
}

/** One change of one record, with the record after it; for a deletion, before it. */
@Entity({ name: 'journal' })
@Unique(['record_id', 'version'])
export class JournalEntry {
  @PrimaryColumn({ type: 'bigint' })
  seq!: string;

  @Column({ type: 'integer' })
  record_id!: number;

  @Column({ type: 'integer' })
  version!: number;

  @Column({ type: 'text' })
  operation!: Operation;

  /** json and not jsonb: a million of the latter takes a third longer to write. */
  @Column({ type: 'json' })
  record!: object;
}

export type Operation = 'create' | 'update' | 'delete' | 'restore';
