import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Journal } from '../journal/journal.js';
import { InjectJournal, InjectPast } from '../journal/journal.module.js';
import type { Past } from '../journal/past.js';
import type { Tally } from '../journal/request.js';
import type { WriteTerms } from '../journal/write-terms.js';
import type { Group } from '../query/conditions.js';
import type { Listing } from '../query/listing.js';
import { Parameters, writeCondition } from '../query/sql.js';
import type { Search } from '../search/search.js';
import { InjectSearch } from '../search/search.module.js';
import { ListReader, type Reading, type Use } from '../transfer/list-reader.js';
import { selectStatistics } from './marathon.statistics.js';
import { FIRST } from '../journal/statements.js';
import type { MarathonChanges, StatisticsView } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

const TABLE = 'marathon';

/** Which marathons are meant: those of now, or as they were after a change. */
interface AsOf {
  seq?: number;
}

/** Questions to all marathons, and changes of those that a filter finds. */
@Injectable()
export class MarathonLists {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectJournal(Marathon) private readonly journal: Journal<Marathon>,
    @InjectPast(Marathon) private readonly past: Past<Marathon>,
    @InjectSearch(Marathon) private readonly search: Search,
    private readonly reader: ListReader,
  ) {}

  /** Reads the marathons that are asked for. */
  async read(listing: Listing, { seq }: AsOf, reading: Reading, use: Use): Promise<void> {
    const then = seq === undefined ? undefined : this.past.relationAt(seq);
    const findSource = async () => {
      const search = listing.search && (await this.search.find(listing.search, then));
      return { relation: then ?? TABLE, search: search || undefined };
    };
    // what is asked of a time may be about this very moment
    const sharedAs = reading.sharedAs && `${reading.sharedAs} ${seq ?? 'now'}`;
    await this.reader.read(listing, findSource, { ...reading, sharedAs }, use);
  }

  /**
   * Reads the marathons whose first year is a round ten before `year`, and how many `years` that is;
   * not how many races, since some years had none.
   */
  async readAnniversaries(year: number, listing: Listing, reading: Reading, use: Use) {
    const relation = `(
      SELECT id, name, city, inception_year, ${year} - inception_year AS years FROM ${TABLE}
      WHERE inception_year < ${year} AND (${year} - inception_year) % 10 = 0)`;
    const findSource = async () => {
      const search = listing.search && (await this.search.find(listing.search, relation));
      return { relation, search: search || undefined };
    };
    // the year may be the one that just began
    const sharedAs = reading.sharedAs && `${reading.sharedAs} ${year}`;
    await this.reader.read(listing, findSource, { ...reading, sharedAs }, use);
  }

  /** How many there are, by decade and by city, and the oldest and newest of them. */
  async statistics(where: Group, { seq }: AsOf): Promise<StatisticsView> {
    const parameters = new Parameters();
    const relation = seq === undefined ? TABLE : this.past.relationAt(seq);
    const condition = writeCondition(where, parameters);
    const sql = selectStatistics(`SELECT * FROM ${relation} AS source WHERE ${condition}`);
    const [row]: { statistics: StatisticsView }[] = await this.dataSource.query(
      sql,
      parameters.values,
    );
    return row!.statistics;
  }

  /**
   * Changes all marathons that the filter finds.
   * @throws {BadRequestException} where that are more than `most`.
   */
  async update(
    where: Group,
    changes: MarathonChanges,
    terms: WriteTerms,
    most?: number,
  ): Promise<Tally> {
    return this.journal.updateFound({ ...find(where), most }, changes, terms);
  }

  /** As `update`. */
  async remove(where: Group, terms: WriteTerms, most?: number): Promise<Tally> {
    return this.journal.removeFound({ ...find(where), most }, terms);
  }

  /** Reads the marathons that one request changed. */
  async readChanged(requestId: string, listing: Listing, reading: Reading, use: Use) {
    const source = { relation: this.past.relationOf(requestId) };
    await this.reader.read(listing, async () => source, reading, use);
  }
}

function find(where: Group) {
  const parameters = new Parameters(FIRST - 1);
  const condition = writeCondition(where, parameters);
  return { text: `SELECT id FROM ${TABLE} WHERE ${condition}`, values: parameters.values };
}
