import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/**
 * A marathon race. The first four columns are the table that the guide's Flask app makes, which is
 * why a name may be missing here: its clients could leave it out. The service asks for one.
 */
@Entity()
export class Marathon {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 100, nullable: true })
  name!: string | null;

  @Column({ type: 'varchar', length: 50, nullable: true })
  city!: string | null;

  @Column({ type: 'integer', nullable: true })
  inception_year!: number | null;

  /** Counts the changes, from 1: what the ETag says. */
  @Column({ type: 'integer', default: 1, select: false })
  version!: number;
}
