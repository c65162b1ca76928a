import { Controller, Delete, Get, HttpCode, Patch, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { sendWithETag } from '../http/entity-response.js';
import { RecordId } from '../http/record-id.js';
import { RetryOnConnectionLoss } from '../http/retry.interceptor.js';
import { Consumes } from '../http/route-rules.js';
import { ValidatedBody, ValidatedQuery } from '../http/validation.js';
import { WriteOptions } from '../http/write-options.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { AsOfQuery, CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly history: MarathonHistoryService,
  ) {}

  @Get(':id')
  async findOne(
    @RecordId('marathon') id: number,
    @ValidatedQuery(AsOfQuery) { as_of }: AsOfQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = as_of ? this.history.findOne(id, as_of) : this.marathons.findOne(id);
    return sendWithETag(reply, await found);
  }

  @Put(':id')
  @RetryOnConnectionLoss()
  async replace(
    @RecordId('marathon') id: number,
    @ValidatedBody(CreateMarathonDto) details: CreateMarathonDto,
    @WriteOptions() options: WriteOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (!options.mustBeNew) {
      return sendWithETag(reply, await this.marathons.update(id, details, options));
    }
    reply.code(201).header('Location', `/marathon/${id}`);
    return sendWithETag(reply, await this.marathons.createWithId(id, details, options));
  }

  @Patch(':id')
  @RetryOnConnectionLoss()
  @Consumes('application/merge-patch+json', 'application/json')
  async update(
    @RecordId('marathon') id: number,
    @ValidatedBody(UpdateMarathonDto) changes: UpdateMarathonDto,
    @WriteOptions() options: WriteOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return sendWithETag(reply, await this.marathons.update(id, changes, options));
  }

  @Delete(':id')
  @RetryOnConnectionLoss()
  @HttpCode(204)
  async remove(@RecordId('marathon') id: number, @WriteOptions() options: WriteOptions) {
    await this.marathons.remove(id, options);
  }
}
