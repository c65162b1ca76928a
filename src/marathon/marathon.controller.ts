import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Put,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { Consumes } from '../http/media-types.js';
import { OnTerms } from '../http/on-terms.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { MarathonIdPipe } from './marathon-id.pipe.js';
import { MarathonPastService } from './marathon-past.service.js';
import { MarathonChanges, MarathonDetails, PointInTime } from './marathon.dto.js';
import { MarathonService } from './marathon.service.js';
import { VersionedInterceptor } from './versioned.interceptor.js';

@Controller('marathon')
@UseInterceptors(VersionedInterceptor)
export class MarathonController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly past: MarathonPastService,
  ) {}

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
