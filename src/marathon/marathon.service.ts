import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { MarathonChanges, MarathonDetails } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

/** What can be done with the registered marathons. */
@Injectable()
export class MarathonService {
  constructor(@InjectRepository(Marathon) private readonly marathons: Repository<Marathon>) {}

  /** All of them, in the order they were registered. */
  async findAll(): Promise<Marathon[]> {
    return this.marathons.find({ order: { id: 'ASC' } });
  }

  /** @throws {NotFoundException} where no marathon has this id. */
  async findOne(id: number): Promise<Marathon> {
    const select = { id: true, name: true, city: true, inception_year: true, version: true };
    const marathon = await this.marathons.findOne({ where: { id }, select });
    return marathon ?? thereIsNone(id);
  }

  async create(details: MarathonDetails): Promise<Marathon> {
    const { generatedMaps } = await this.marathons.insert(details);
    return this.marathons.create({ ...details, ...generatedMaps[0] });
  }

  /**
   * Changes what is named in `changes`, in one statement, so that two people who change different
   * things at once both succeed.
   * @throws {NotFoundException} where no marathon has this id.
   */
  async update(id: number, changes: MarathonChanges): Promise<Marathon> {
    if (Object.values(changes).every((value) => value === undefined)) return this.findOne(id);
    const { raw } = await this.marathons
      .createQueryBuilder()
      .update({ ...changes, version: () => 'version + 1' })
      .where({ id })
      .returning('*')
      .execute();
    return raw[0] ? this.marathons.create(raw[0] as Marathon) : thereIsNone(id);
  }

  /** @throws {NotFoundException} where no marathon has this id. */
  async remove(id: number): Promise<void> {
    const { affected } = await this.marathons.delete(id);
    if (!affected) thereIsNone(id);
  }
}

function thereIsNone(id: number): never {
  throw new NotFoundException(`There is no marathon ${id}.`);
}
