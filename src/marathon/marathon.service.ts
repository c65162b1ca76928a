import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Journal } from '../journal/journal.js';
import { InjectJournal, InjectRecordLoader } from '../journal/journal.module.js';
import type { ReadServer } from '../journal/read-servers.js';
import type { RecordLoader } from '../journal/record-loader.js';
import type { WriteOptions } from '../journal/write-options.js';
import { ProblemError } from '../problems/problems.js';
import type { CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';
import { assertChoosable, changedId } from './marathon-id.js';

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
  async findOne(id: number, server?: ReadServer): Promise<Marathon> {
    return (await this.loader.load(id, server)) ?? notFound(id);
  }

  /**
   * Returns the id and the version of the new marathon.
   * @throws {ProblemError} `already_exists` if there is a marathon with the id.
   */
  create(
    details: Partial<CreateMarathonDto>,
    options: WriteOptions = {},
  ): Promise<Pick<Marathon, 'id' | 'version'>> {
    return this.journal.create(details, options);
  }

  /**
   * Creates a marathon under an id that the client chose.
   * @throws {ProblemError} `precondition_failed` if it exists, `invalid_id`
   */
  async createWithId(id: number, body: CreateMarathonDto, options: WriteOptions) {
    assertChoosable(id);
    return this.journal.createWithId(id, withoutId(id, body), options);
  }

  /**
   * Updates the columns in `changes` only, so that concurrent updates of different columns do not overwrite
   * each other.
   * @throws {ProblemError} `not_found`, `precondition_failed`, or `invalid_body` for another id in the body
   */
  async update(id: number, body: UpdateMarathonDto, options: WriteOptions = {}): Promise<Marathon> {
    const changes = withoutId(id, body);
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

/** The body of a request for one marathon. It may contain the id, as an answer does. */
function withoutId<T extends UpdateMarathonDto>(id: number, { id: sent, ...columns }: T) {
  if (sent === undefined || sent === null || sent === id) return columns;
  throw changedId(`is ${sent}, and the address names ${id}`);
}

function notFound(id: number): never {
  throw new ProblemError('not_found', `There is no marathon ${id}.`);
}
