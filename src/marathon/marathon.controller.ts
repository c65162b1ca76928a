import { Controller, Delete, Get, HttpCode, Patch, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BodyOf, QueryOf } from '../http/input.js';
import { Consumes } from '../http/route-rules.js';
import { OnTerms } from '../http/on-terms.js';
import { Retried } from '../http/retry.interceptor.js';
import { showVersioned } from '../http/versioned.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { MarathonId } from './marathon-id.js';
import { MarathonPastService } from './marathon-past.service.js';
import { MarathonChanges, MarathonDetails, PointInTime } from './marathon.dto.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly past: MarathonPastService,
  ) {}

  @Get(':id')
  async findOne(
    @MarathonId() id: number,
    @QueryOf(PointInTime) { as_of }: PointInTime,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = as_of ? this.past.findOne(id, as_of) : this.marathons.findOne(id);
    return showVersioned(reply, await found);
  }

  @Put(':id')
  @Retried()
  async replace(
    @MarathonId() id: number,
    @BodyOf(MarathonDetails) details: MarathonDetails,
    @OnTerms() terms: WriteTerms,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return showVersioned(reply, await this.marathons.update(id, details, terms));
  }

  @Patch(':id')
  @Retried()
  @Consumes('application/merge-patch+json', 'application/json')
  async update(
    @MarathonId() id: number,
    @BodyOf(MarathonChanges) changes: MarathonChanges,
    @OnTerms() terms: WriteTerms,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return showVersioned(reply, await this.marathons.update(id, changes, terms));
  }

  @Delete(':id')
  @Retried()
  @HttpCode(204)
  async remove(@MarathonId() id: number, @OnTerms() terms: WriteTerms) {
    await this.marathons.remove(id, terms);
  }
}
