import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { OneOrManyPipe } from '../http/input.pipe.js';
import { Consumes } from '../http/media-types.js';
import { OnTerms } from '../http/on-terms.js';
import { confirmPreference, readPreferences, type Preferences } from '../http/preferences.js';
import { oneRow, RowsFile } from '../http/rows-body.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { MarathonIdPipe } from './marathon-id.pipe.js';
import { MarathonPastService } from './marathon-past.service.js';
import { ConflictKey, MarathonChanges, MarathonDetails, PointInTime } from './marathon.dto.js';
import { MarathonFiles } from './marathon.files.js';
import { MarathonService } from './marathon.service.js';
import { VersionedInterceptor } from './versioned.interceptor.js';

@Controller('marathon')
@UseInterceptors(VersionedInterceptor)
export class MarathonController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly past: MarathonPastService,
    private readonly files: MarathonFiles,
  ) {}

  @Post()
  @Consumes('application/json', 'text/csv', 'application/x-ndjson')
  async create(
    @Body(new OneOrManyPipe(MarathonDetails)) sent: MarathonDetails | RowsFile,
    @Query() { on_conflict }: ConflictKey,
    @OnTerms() terms: WriteTerms,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { body, headers } = reply.request;
    const resolution = readResolution(on_conflict, readPreferences(headers.prefer));
    if (resolution) confirmPreference(reply, `resolution=${resolution}`);
    if (sent instanceof RowsFile) return this.files.import(sent, resolution, terms);
    if (resolution) return this.files.import(oneRow(body), resolution, terms);
    const { id, version } = await this.marathons.create(sent, terms);
    reply.header('Location', `/marathon/${id}`);
    return { id, version };
  }

  @Get(':id')
  async findOne(@Param('id', MarathonIdPipe) id: number, @Query() { as_of }: PointInTime) {
    return as_of ? this.past.findOne(id, as_of) : this.marathons.findOne(id);
  }

  @Put(':id')
  async replace(
    @Param('id', MarathonIdPipe) id: number,
    @Body() details: MarathonDetails,
    @OnTerms() terms: WriteTerms,
  ) {
    return this.marathons.update(id, details, terms);
  }

  @Patch(':id')
  @Consumes('application/merge-patch+json', 'application/json')
  async update(
    @Param('id', MarathonIdPipe) id: number,
    @Body() changes: MarathonChanges,
    @OnTerms() terms: WriteTerms,
  ) {
    return this.marathons.update(id, changes, terms);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', MarathonIdPipe) id: number, @OnTerms() terms: WriteTerms) {
    await this.marathons.remove(id, terms);
  }
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
