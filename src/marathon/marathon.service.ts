import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Journal } from '../journal/journal.js';
import { InjectJournal, InjectRecordLoader } from '../journal/journal.module.js';
import type { RecordLoader } from '../journal/record-loader.js';
import type { WriteOptions } from '../journal/write-options.js';
import { ProblemError } from '../problems/problems.js';
import type { CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

/** Reads and writes single marathons. */
@Injectable()
export class MarathonService {
  constructor(
    @InjectRepository(Marathon) private readonly marathons: Repository<Marathon>,
    @InjectRecordLoader(Marathon) private readonly loader: RecordLoader<Marathon>,
    @InjectJournal(Marathon) private readonly journal: Journal<Marathon>,
  ) {}

  /** All marathons, by id. */
  async findAll(): Promise<Marathon[]> {
    return this.marathons.find({ order: { id: 'ASC' } });
  }

  /** @throws {ProblemError} `not_found` */
  async findOne(id: number): Promise<Marathon> {
    return (await this.loader.load(id)) ?? notFound(id);
  }

  /** Returns the id and the version of the new marathon. */
  create(
    details: Partial<CreateMarathonDto>,
    options: WriteOptions = {},
  ): Promise<Pick<Marathon, 'id' | 'version'>> {
    return this.journal.create(details, options);
  }

  /**
   * Updates the columns in `changes` only, so that concurrent updates of different columns do not overwrite
   * each other.
   * @throws {ProblemError} `not_found`, or `precondition_failed`
   */
  async update(
    id: number,
    changes: UpdateMarathonDto,
    options: WriteOptions = {},
  ): Promise<Marathon> {
    return (await this.journal.update(id, changes, options)) ?? notFound(id);
  }

  /** @throws {ProblemError} `not_found`, or `precondition_failed` */
  async remove(id: number, options: WriteOptions = {}): Promise<Marathon> {
    return (await this.journal.remove(id, options)) ?? notFound(id);
  }

  /**
   * Restores a deleted marathon, or an earlier version of a marathon.
   * @throws {ProblemError} `not_found`, `precondition_failed`, or `not_deleted` without a version
   */
  async restore(id: number, version: number | undefined, options: WriteOptions): Promise<Marathon> {
    return (await this.journal.restore(id, version, options)) ?? notFound(id);
  }
}

function notFound(id: number): never {
  throw new ProblemError('not_found', `There is no marathon ${id}.`);
}
