import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import type { Role } from '../http/principal.js';

/** An API key. The key itself is not stored. */
@Entity()
export class ApiKey {
  @PrimaryGeneratedColumn()
  id!: number;

  /** Who uses it. */
  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  role!: Role;

  /** The SHA-256 of the key, in hexadecimal digits. */
  @Column({ type: 'text', unique: true })
  hash!: string;

  /** The Idempotency-Key of the request that created it, or an id of the service. */
  @Column({ type: 'text', unique: true })
  request_id!: string;

  /** The name of the key that created it; null on the command line. */
  @Column({ type: 'text', nullable: true })
  created_by!: string | null;

  @Column({ type: 'timestamp with time zone', precision: 3 })
  created_at!: Date;

  @Column({ type: 'timestamp with time zone', precision: 3, nullable: true })
  expires_at!: Date | null;

  @Column({ type: 'timestamp with time zone', precision: 3, nullable: true })
  revoked_at!: Date | null;

  /** To the minute. */
  @Column({ type: 'timestamp with time zone', precision: 3, nullable: true })
  last_used_at!: Date | null;

  /** Counts the changes of the key. The sum over all keys tells whether any of them changed. */
  @Column({ type: 'integer', default: 1 })
  revision!: number;
}
