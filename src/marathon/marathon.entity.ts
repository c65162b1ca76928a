import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { Journaled } from '../journal/journaled.js';
import { IntegerColumn, TextColumn } from '../resource/columns.js';
import { Resource } from '../resource/resource.js';

/**
 * A marathon race, and the one definition of its columns. The first four columns are the table of the
 * guide's Flask app, whose clients could omit the name. So it is nullable there, although this service
 * requires it.
 */
@Entity()
@Journaled()
@Resource({ listMember: 'marathon_list', naturalKey: ['name', 'city'] })
export class Marathon {
  @PrimaryGeneratedColumn()
  id!: number;

  @TextColumn({ maxLength: 100, isRequired: true, isSearched: true, example: 'Boston Marathon' })
  name!: string | null;

  @TextColumn({ maxLength: 50, isSearched: true, example: 'Boston' })
  city!: string | null;

  @IntegerColumn({ min: 1, max: 9999, example: 1897 })
  inception_year!: number | null;

  /** Counts the changes of the record: the value of its ETag. The guide's app stores 0, which reads as 1. */
  @Column({
    type: 'integer',
    default: 0,
    select: false,
    transformer: { to: (version: number) => version, from: (version: number) => version || 1 },
  })
  version!: number;
}
