import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** The one row that every write advances: what makes `seq` gapless and in the order of commits. */
@Entity()
export class JournalHead {
  @PrimaryColumn({ type: 'smallint' })
  id!: number;

  @Column({ type: 'bigint' })
  seq!: string;

  /** Never runs backwards along `seq`, whatever the clock does. */
  @Column({ type: 'timestamp with time zone', precision: 3 })
  at!: Date;
}

/** One request that wrote, with the changes from `first_seq` to `last_seq`; both null where it changed nothing. */
@Entity()
export class JournalRequest {
  /** The Idempotency-Key, or made up: unique, so that a request that is repeated collides. */
  @PrimaryColumn({ type: 'text' })
  request_id!: string;

  @Index({ unique: true })
  @Column({ type: 'bigint', nullable: true })
  first_seq!: string | null;

  @Column({ type: 'bigint', nullable: true })
  last_seq!: string | null;

  /** How many rows of an import were there already. */
  @Column({ type: 'integer', default: 0 })
  skipped!: number;

  @Column({ type: 'timestamp with time zone', precision: 3 })
  at!: Date;

  @Column({ type: 'text', nullable: true })
  by!: string | null;

  /** What was asked for, as a hash: tells a repeated request from another one under the same key. */
  @Column({ type: 'text', nullable: true })
  fingerprint!: string | null;
}

/** One change of one record, and the record as it was after it; for a deletion, as it was before. */
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

  /** As text rather than jsonb, which takes a third longer to write a million of. */
  @Column({ type: 'json' })
  record!: object;
}

export type Operation = 'create' | 'update' | 'delete' | 'restore';
