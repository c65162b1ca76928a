import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Journal } from '../journal/journal.js';
import { InjectJournal, InjectRecords } from '../journal/journal.module.js';
import type { Records } from '../journal/records.js';
import type { WriteTerms } from '../journal/write-terms.js';
import type { MarathonChanges, MarathonDetails } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

/** What can be done with the registered marathons. */
@Injectable()
export class MarathonService {
  constructor(
    @InjectRepository(Marathon) private readonly marathons: Repository<Marathon>,
    @InjectRecords(Marathon) private readonly records: Records<Marathon>,
    @InjectJournal(Marathon) private readonly journal: Journal<Marathon>,
  ) {}

  /** All of them, in the order they were registered. */
  async findAll(): Promise<Marathon[]> {
    return this.marathons.find({ order: { id: 'ASC' } });
  }

  /** @throws {NotFoundException} where no marathon has this id. */
  async findOne(id: number): Promise<Marathon> {
    return (await this.records.find(id)) ?? thereIsNone(id);
  }

  /** Returns its id and its first version. */
  create(details: MarathonDetails, terms: WriteTerms): Promise<Pick<Marathon, 'id' | 'version'>> {
    return this.journal.create(details, terms);
  }

  /**
   * Changes what is named in `changes`, so that two people who change different things at once both
   * succeed.
   * @throws {NotFoundException} where no marathon has this id.
   * @throws {PreconditionFailedException} where it is not in a version that the terms expect.
   */
  async update(id: number, changes: MarathonChanges, terms: WriteTerms): Promise<Marathon> {
    return (await this.journal.update(id, changes, terms)) ?? thereIsNone(id);
  }

  /** As `update`. */
  async remove(id: number, terms: WriteTerms): Promise<Marathon> {
    return (await this.journal.remove(id, terms)) ?? thereIsNone(id);
  }

  /**
   * Brings a deleted marathon back, or one that is there to an earlier version.
   * @throws {NotFoundException} where there never was such a marathon or version.
   * @throws {ConflictException} where no version is named, and it is not deleted.
   */
  async restore(id: number, version: number | undefined, terms: WriteTerms): Promise<Marathon> {
    return (await this.journal.restore(id, version, terms)) ?? thereIsNone(id);
  }
}

function thereIsNone(id: number): never {
  throw new NotFoundException(`There is no marathon ${id}.`);
}
