import { Controller, Delete, Get, HttpCode, Patch, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import { sendWithETag } from '../http/entity-response.js';
import { ReadFrom } from '../http/read-consistency.js';
import { RecordId } from '../http/record-id.js';
import { RetryOnConnectionLoss } from '../http/retry.interceptor.js';
import { Consumes } from '../http/route-rules.js';
import { ValidatedBody, ValidatedQuery } from '../http/validation.js';
import { WriteOptions } from '../http/write-options.js';
import type { ReadServer } from '../journal/read-servers.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { AsOfQuery, CreateMarathonDto, UpdateMarathonDto } from './marathon.dto.js';
import * as api from './marathon.api.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly history: MarathonHistoryService,
  ) {}

  @Get(':id')
  @Describes(api.FIND_ONE)
  async findOne(
    @RecordId('marathon') id: number,
    @ValidatedQuery(AsOfQuery) { as_of }: AsOfQuery,
    @ReadFrom() server: ReadServer,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const found = as_of ? this.history.findOne(id, as_of) : this.marathons.findOne(id, server);
    return sendWithETag(reply, await found);
  }

  @Put(':id')
  @RetryOnConnectionLoss()
  @Describes(api.REPLACE)
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
  @Describes(api.UPDATE)
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
  @Describes(api.REMOVE)
  async remove(@RecordId('marathon') id: number, @WriteOptions() options: WriteOptions) {
    await this.marathons.remove(id, options);
  }
}
