import { BadRequestException, Controller, Delete, Get, Patch, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { answerList } from '../transfer/answer-list.js';
import { BodyOf, BodyOfOneOrMany } from '../http/input.js';
import { Consumes } from '../http/route-rules.js';
import { OnTerms } from '../http/on-terms.js';
import { confirmPreference, readPreferences, type Preferences } from '../http/preferences.js';
import { RequestDeadline, type Deadline } from '../http/request-deadline.js';
import { Retried } from '../http/retry.interceptor.js';
import { Filter, ListOptions, Question, type Asked, type Chosen } from '../http/questions.js';
import { oneRow, RowsFile } from '../http/rows-body.js';
import type { WriteTerms } from '../journal/write-terms.js';
import type { Listing } from '../query/listing.js';
import { formatsOf } from '../transfer/formats.js';
import { MarathonLists } from './marathon-lists.service.js';
import { MarathonPastService } from './marathon-past.service.js';
import { ANNIVERSARIES, ASKABLE } from './marathon.columns.js';
import {
  AnniversaryOptions,
  MarathonChanges,
  MarathonDetails,
  PointInTime,
  StoreOptions,
} from './marathon.dto.js';
import { MarathonFiles } from './marathon.files.js';
import { MarathonService } from './marathon.service.js';

const FORMATS = formatsOf('marathon_list');

@Controller('marathon')
export class MarathonListsController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly lists: MarathonLists,
    private readonly files: MarathonFiles,
    private readonly past: MarathonPastService,
  ) {}

  @Get()
  async findAll(
    @Question(ASKABLE, ListOptions) { listing, format, as_of }: Asked<ListOptions>,
    @RequestDeadline() deadline: Deadline,
    @Res() reply: FastifyReply,
  ) {
    const seq = as_of && (await this.past.findSeqAt(as_of, deadline));
    await answerList(reply, {
      listing,
      format,
      formats: FORMATS,
      deadline,
      findVersion: async (endsAt) => (seq === undefined ? this.past.now(endsAt) : { seq }),
      read: async (asked, ...reading) => this.lists.read(asked, { seq }, ...reading),
    });
  }

  @Get('anniversaries')
  async findAnniversaries(
    @Question(ANNIVERSARIES, AnniversaryOptions)
    { listing, format, year }: Asked<AnniversaryOptions>,
    @Res() reply: FastifyReply,
  ) {
    await answerList(reply, {
      listing,
      format,
      formats: FORMATS,
      findVersion: async (endsAt) => this.past.now(endsAt),
      read: async (...reading) => this.lists.readAnniversaries(year, ...reading),
    });
  }

  @Get('stats')
  @Retried()
  async describe(
    @Question(ASKABLE, PointInTime, 'conditions')
    { listing, as_of }: Asked<PointInTime>,
  ) {
    const seq = as_of && (await this.past.findSeqAt(as_of));
    return this.lists.statistics(listing.where, { seq });
  }

  @Post()
  @Consumes('application/json', 'text/csv', 'application/x-ndjson')
  async create(
    @BodyOfOneOrMany(MarathonDetails) sent: MarathonDetails | RowsFile,
    @Question(ASKABLE, StoreOptions, 'select') asked: Asked<StoreOptions>,
    @OnTerms() terms: WriteTerms,
    @RequestDeadline() deadline: Deadline,
    @Res() reply: FastifyReply,
  ) {
    const { body, headers } = reply.code(201).request;
    const resolution = readResolution(asked.on_conflict, readPreferences(headers.prefer));
    if (resolution) confirmPreference(reply, `resolution=${resolution}`);
    const rows = sent instanceof RowsFile ? sent : resolution && oneRow(body);
    const stored = rows
      ? await this.files.import(rows, resolution, terms)
      : await this.createOne(sent as MarathonDetails, terms, reply);
    // an import takes as long as it takes
    await this.answer(reply, { ...asked, deadline: rows ? undefined : deadline }, terms, stored);
  }

  @Patch()
  @Retried()
  @Consumes('application/merge-patch+json', 'application/json')
  async update(
    @Filter(ASKABLE) chosen: Chosen,
    @BodyOf(MarathonChanges) changes: MarathonChanges,
    @OnTerms() terms: WriteTerms,
    @Res() reply: FastifyReply,
  ) {
    const { updated, skipped } = await this.lists.update(chosen.where, changes, terms, most(reply));
    await this.answer(reply, chosen, terms, { updated, skipped });
  }

  @Delete()
  @Retried()
  async remove(
    @Filter(ASKABLE) chosen: Chosen,
    @OnTerms() terms: WriteTerms,
    @Res() reply: FastifyReply,
  ) {
    const { deleted } = await this.lists.remove(chosen.where, terms, most(reply));
    await this.answer(reply, chosen, terms, { deleted });
  }

  private async createOne(details: MarathonDetails, terms: WriteTerms, reply: FastifyReply) {
    const { id, version } = await this.marathons.create(details, terms);
    reply.header('Location', `/marathon/${id}`).header('ETag', `"${version}"`);
    return { id };
  }

  /** How many, or none of that, or the marathons themselves: as `Prefer: return` says. */
  private async answer(
    reply: FastifyReply,
    { listing, deadline }: { listing: Listing; deadline?: Deadline },
    { requestId, isRehearsal }: WriteTerms,
    told: object,
  ): Promise<void> {
    const wish = readPreferences(reply.request.headers.prefer).return;
    if (wish && !isRehearsal) confirmPreference(reply, `return=${wish}`);
    if (wish === 'minimal') return void reply.code(reply.statusCode === 201 ? 201 : 204).send();
    if (wish !== 'representation' || isRehearsal) return void reply.send(told);
    await answerList(reply, {
      listing,
      deadline,
      formats: FORMATS,
      read: async (...reading) => this.lists.readChanged(requestId!, ...reading),
    });
  }
}

/** The most that may be changed, as the client prefers. */
function most(reply: FastifyReply): number | undefined {
  const limit = readPreferences(reply.request.headers.prefer)['max-affected'];
  if (limit !== undefined) confirmPreference(reply, `max-affected=${limit}`);
  return limit;
}

/** Duplicates are found by what `on_conflict` says, and treated as `Prefer: resolution` says. */
function readResolution(on_conflict: string | undefined, { resolution }: Preferences) {
  if (!on_conflict === !resolution) return resolution;
  throw new BadRequestException(
    on_conflict
      ? 'With on_conflict, say Prefer: resolution=merge-duplicates or resolution=ignore-duplicates.'
      : `With Prefer: resolution=${resolution}, say which marathons are the same: ?on_conflict=name,city.`,
  );
}
