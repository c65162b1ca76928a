import { Injectable } from '@nestjs/common';
import type { JournalReader } from '../journal/journal-reader.js';
import { InjectJournalReader } from '../journal/journal.module.js';
import { ReadServers, type ReadServer } from '../journal/read-servers.js';
import { Gazetteer } from '../places/gazetteer.js';
import type { ListQuery } from '../query/list-query.js';
import { Parameters } from '../query/sql.js';
import { matchingSql } from '../query/statements.js';
import type { Search } from '../search/search.js';
import { InjectSearch } from '../search/search.module.js';
import type { StatisticsResponse } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { RESOURCE } from './marathon.lists.js';
import { toMap, type CityCount, type MapResponse } from './marathon-map.js';
import { citiesSql, statisticsSql } from './marathon.statistics.js';

/** A query, and the server that it reads from. */
interface CountedList {
  query: ListQuery;
  server: ReadServer;
}

/** Counts marathons. */
@Injectable()
export class MarathonStatisticsService {
  constructor(
    private readonly servers: ReadServers,
    @InjectJournalReader(Marathon) private readonly journalReader: JournalReader<Marathon>,
    @InjectSearch(Marathon) private readonly search: Search,
    private readonly history: MarathonHistoryService,
    private readonly gazetteer: Gazetteer,
  ) {}

  /** Counts the selected marathons of now, or of an earlier time, by decade and by city. */
  async statistics({ query, server }: CountedList, asOf?: Date): Promise<StatisticsResponse> {
    type Row = { statistics: StatisticsResponse };
    const [row] = await this.select<Row>(statisticsSql, { query, server }, asOf);
    return row!.statistics;
  }

  /** As `statistics`, by the places of the cities. */
  async map(list: CountedList, asOf?: Date): Promise<MapResponse> {
    const cities = await this.select<CityCount>(citiesSql, list, asOf);
    return toMap(cities, await this.gazetteer.open());
  }

  private async select<Row>(
    toSql: (select: string) => string,
    { query, server }: CountedList,
    asOf?: Date,
  ): Promise<Row[]> {
    const seq = asOf && (await this.history.findSeqAt(asOf));
    const relation = seq === undefined ? RESOURCE.table : this.journalReader.relationAt(seq);
    const { search } = query;
    const match = search === undefined ? undefined : await this.search.find(search, relation);
    const parameters = new Parameters();
    const condition = matchingSql(query, { relation, match }, parameters);
    const sql = toSql(`SELECT * FROM ${relation} AS source WHERE ${condition}`);
    return this.servers.query<Row>(server, sql, parameters.values);
  }
}
