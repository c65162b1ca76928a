import { Body, Controller, Delete, Get, Patch, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { answerList } from '../transfer/answer-list.js';
import { Consumes } from '../http/media-types.js';
import { OnTerms } from '../http/on-terms.js';
import { confirmPreference, readPreferences } from '../http/preferences.js';
import {
  FilterPipe,
  ListOptions,
  QuestionPipe,
  type Asked,
  type Chosen,
} from '../http/questions.pipe.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { formatsOf } from '../transfer/formats.js';
import { MarathonLists } from './marathon-lists.service.js';
import { MarathonPastService } from './marathon-past.service.js';
import { ANNIVERSARIES, ASKABLE } from './marathon.columns.js';
import { AnniversaryOptions, MarathonChanges, PointInTime } from './marathon.dto.js';

const FORMATS = formatsOf('marathon_list');

@Controller('marathon')
export class MarathonListsController {
  constructor(
    private readonly lists: MarathonLists,
    private readonly past: MarathonPastService,
  ) {}

  @Get()
  async findAll(
    @Query(new QuestionPipe(ASKABLE, ListOptions)) { listing, format, as_of }: Asked<ListOptions>,
    @Res() reply: FastifyReply,
  ) {
    const version = await this.past.findSeq(as_of);
    const then = { seq: as_of && version };
    await answerList(reply, {
      listing,
      format,
      formats: FORMATS,
      version,
      read: async (...reading) => this.lists.read(reading[0], then, reading[1], reading[2]),
    });
  }

  @Get('anniversaries')
  async findAnniversaries(
    @Query(new QuestionPipe(ANNIVERSARIES, AnniversaryOptions))
    { listing, format, year }: Asked<AnniversaryOptions>,
    @Res() reply: FastifyReply,
  ) {
    const version = await this.past.findSeq();
    await answerList(reply, {
      listing,
      format,
      formats: FORMATS,
      version,
      read: async (...reading) => this.lists.readAnniversaries(year, ...reading),
    });
  }

  @Get('stats')
  async describe(
    @Query(new QuestionPipe(ASKABLE, PointInTime, 'conditions'))
    { listing, as_of }: Asked<PointInTime>,
  ) {
    const seq = as_of && (await this.past.findSeq(as_of));
    return this.lists.statistics(listing.where, { seq });
  }

  @Patch()
  @Consumes('application/merge-patch+json', 'application/json')
  async update(
    @Query(new FilterPipe(ASKABLE)) chosen: Chosen,
    @Body() changes: MarathonChanges,
    @OnTerms() terms: WriteTerms,
    @Res() reply: FastifyReply,
  ) {
    const { updated, skipped } = await this.lists.update(chosen.where, changes, terms, most(reply));
    await this.answer(reply, chosen, terms, { updated, skipped });
  }

  @Delete()
  async remove(
    @Query(new FilterPipe(ASKABLE)) chosen: Chosen,
    @OnTerms() terms: WriteTerms,
    @Res() reply: FastifyReply,
  ) {
    const { deleted } = await this.lists.remove(chosen.where, terms, most(reply));
    await this.answer(reply, chosen, terms, { deleted });
  }

  /** How many, or none of that, or the marathons themselves: as `Prefer: return` says. */
  private async answer(
    reply: FastifyReply,
    { listing }: Chosen,
    { requestId, isRehearsal }: WriteTerms,
    tally: object,
  ): Promise<void> {
    const wish = readPreferences(reply.request.headers.prefer).return;
    if (wish && !isRehearsal) confirmPreference(reply, `return=${wish}`);
    if (wish === 'minimal') return void reply.code(204).send();
    if (wish !== 'representation' || isRehearsal) return void reply.send(tally);
    await answerList(reply, {
      listing,
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
