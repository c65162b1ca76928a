import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import { RetryOnConnectionLoss } from '../http/retry.interceptor.js';
import { sendBuffer } from '../http/static-body.js';
import { ListQueryOf, type ParsedList } from '../lists/list-request.js';
import { AsOfQuery } from './marathon.dto.js';
import { MARATHONS } from './marathon.lists.js';
import * as api from './marathon-statistics.api.js';
import { MarathonStatisticsService } from './marathon-statistics.service.js';

@Controller('marathon')
export class MarathonStatisticsController {
  constructor(private readonly marathons: MarathonStatisticsService) {}

  @Get('stats')
  @RetryOnConnectionLoss()
  @Describes(api.STATISTICS)
  async statistics(@ListQueryOf(MARATHONS, AsOfQuery, 'conditions') parsed: ParsedList<AsOfQuery>) {
    const { query, request, options } = parsed;
    return this.marathons.statistics({ query, server: request.server }, options.as_of);
  }

  @Get('map')
  @RetryOnConnectionLoss()
  @Describes(api.MAP)
  async map(
    @ListQueryOf(MARATHONS, AsOfQuery, 'conditions') parsed: ParsedList<AsOfQuery>,
    @Res() reply: FastifyReply,
  ) {
    const { query, request, options } = parsed;
    const map = await this.marathons.map({ query, server: request.server }, options.as_of);
    reply.type('application/geo+json');
    await sendBuffer(reply, Buffer.from(JSON.stringify(map)));
  }
}
