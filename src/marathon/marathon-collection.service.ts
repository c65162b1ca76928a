import { Injectable } from '@nestjs/common';
import type { ChangeCounts, ChangeRange } from '../journal/change-counts.js';
import type { BulkJournal } from '../journal/bulk-journal.js';
import type { MatchingIds } from '../journal/matching-plan.js';
import type { JournalReader } from '../journal/journal-reader.js';
import { InjectBulkJournal, InjectJournalReader } from '../journal/journal.module.js';
import type { WriteOptions } from '../http/write-options.js';
import { ProblemError } from '../problems/problems.js';
import { ListService } from '../lists/list.service.js';
import type { ListRequest, SelectedRecords } from '../lists/list-request.js';
import type { ListResult } from '../lists/list-result.js';
import type { Group } from '../query/conditions.js';
import { orderSql } from '../query/order.js';
import { conditionSql, Parameters } from '../query/sql.js';
import type { Search } from '../search/search.js';
import { InjectSearch } from '../search/search.module.js';
import type { UpdateMarathonDto } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { changedId } from './marathon-id.js';
import { RESOURCE } from './marathon.lists.js';
import { anniversariesSql } from './marathon.statistics.js';

const { table: TABLE } = RESOURCE;

/** Lists marathons, and changes those that a filter selects. */
@Injectable()
export class MarathonCollectionService {
  constructor(
    @InjectBulkJournal(Marathon) private readonly journal: BulkJournal<Marathon>,
    @InjectJournalReader(Marathon) private readonly journalReader: JournalReader<Marathon>,
    @InjectSearch(Marathon) private readonly search: Search,
    private readonly history: MarathonHistoryService,
    private readonly lists: ListService,
  ) {}

  /** The marathons of now, or of an earlier time. */
  async find(request: ListRequest, asOf?: Date): Promise<ListResult> {
    const { search } = this;
    const seq = asOf && (await this.history.findSeqAt(asOf, request.deadline));
    const relation = seq === undefined ? TABLE : this.journalReader.relationAt(seq);
    return this.lists.read(request, { relation, search, version: seq ?? 'latest' });
  }

  /** The marathons that were founded a multiple of ten years before `year`. */
  async findAnniversaries(request: ListRequest, year: number): Promise<ListResult> {
    const relation = `(${anniversariesSql(year)})`;
    return this.lists.read(request, { relation, search: this.search, version: 'latest' });
  }

  /** The deleted marathons as they were, each with the number of its deletion. */
  async findDeleted(request: ListRequest): Promise<ListResult> {
    const relation = this.journalReader.deletedRelation();
    return this.lists.read(request, { relation, search: this.search, version: 'latest' });
  }

  /** The marathons that a write changed, or would have changed. */
  async findChanged(
    request: ListRequest,
    { requestId, dryRun, dryRunRecords = [] }: WriteOptions,
  ): Promise<ListResult> {
    const relation = dryRun
      ? this.journalReader.relationFrom(dryRunRecords)
      : this.journalReader.relationOf(requestId);
    return this.lists.read(request, { relation, search: this.search });
  }

  /**
   * Updates all selected marathons.
   * @throws {ProblemError} `max_affected_exceeded`, `precondition_failed`, `insufficient_role`, or
   * `invalid_body` for an id that is not the one of the filter
   */
  async update(
    selected: SelectedRecords,
    { id, ...changes }: UpdateMarathonDto,
    options: WriteOptions,
  ): Promise<ChangeCounts> {
    if (id !== undefined && id !== null) assertUnchangedId(selected.where, id);
    assertMayAffect(selected.where, options);
    return this.journal.updateMatching(matchingIds(selected), changes, options);
  }

  /** As `update`. */
  async remove(selected: SelectedRecords, options: WriteOptions): Promise<ChangeCounts> {
    assertMayAffect(selected.where, options);
    return this.journal.deleteMatching(matchingIds(selected), options);
  }

  /**
   * Undoes a write: restores what the marathons were before its changes.
   * @throws {ProblemError} `changed_since` if one of them was changed after it; `future_change`,
   * `max_affected_exceeded`, `precondition_failed`, `insufficient_role`
   */
  async undo(changes: ChangeRange, options: WriteOptions): Promise<ChangeCounts> {
    assertLimited(options);
    return this.journal.restoreBefore(changes, options);
  }
}

function matchingIds({ where, order, limit, offset }: SelectedRecords): MatchingIds {
  const isPage = limit !== undefined || offset > 0;
  return (parameterOffset) => {
    const parameters = new Parameters(parameterOffset);
    const condition = conditionSql(where, parameters);
    const text = isPage
      ? `SELECT id FROM ${TABLE} AS listed WHERE ${condition}
       ORDER BY ${orderSql(order)} LIMIT ${limit ?? 'ALL'} OFFSET ${offset}`
      : `SELECT id FROM ${TABLE} WHERE ${condition}`;
    return { text, values: parameters.values };
  };
}

/** Clients send a record back as it was returned, with its id. */
function assertUnchangedId(where: Group, id: number): void {
  if (selectedId(where) !== id) throw changedId(`is ${id}, and the filter is not id=eq.${id}`);
}

/** @throws {ProblemError} `insufficient_role` if a writer could change any number of marathons. */
function assertMayAffect(where: Group, options: WriteOptions): void {
  if (selectedId(where) === undefined) assertLimited(options);
}

/** As `assertMayAffect`, for any number of marathons. */
function assertLimited({ mayAffectMany, maxAffected }: WriteOptions): void {
  if (mayAffectMany || maxAffected !== undefined) return;
  throw new ProblemError(
    'insufficient_role',
    'A writer may change many marathons up to a limit. Add the header Prefer: max-affected=10, or use the key of an admin.',
  );
}

/** The only id that a filter selects; undefined if it may select several. */
function selectedId({ kind, negated, conditions }: Group): unknown {
  if (kind !== 'and' || negated) return undefined;
  for (const condition of conditions) {
    if (condition.kind !== 'comparison' || condition.column.name !== 'id') continue;
    const { operator, quantifier } = condition;
    if (operator === 'eq' && !quantifier && !condition.negated) return condition.value;
  }
  return undefined;
}
