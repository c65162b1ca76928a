import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { Journaled } from '../journal/journaled.js';

/**
 * A marathon race. The first four columns are the table that the guide's Flask app makes, which is
 * why a name may be missing here: its clients could leave it out. The service asks for one.
 */
@Entity()
@Journaled()
export class Marathon {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 100, nullable: true })
  name!: string | null;

  @Column({ type: 'varchar', length: 50, nullable: true })
  city!: string | null;

  @Column({ type: 'integer', nullable: true })
  inception_year!: number | null;

  /** Counts the changes: what the ETag says. The guide's app leaves 0; it is 1 once it is taken over. */
  @Column({
    type: 'integer',
    default: 0,
    select: false,
    transformer: { to: (version: number) => version, from: (version: number) => version || 1 },
  })
  version!: number;
}
