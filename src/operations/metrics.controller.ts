import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import { RequiresRole } from '../http/route-rules.js';
import { MetricsService } from './metrics.service.js';

@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @RequiresRole('admin')
  @Describes({
    id: 'getMetrics',
    tag: 'Operation',
    summary: 'Measure this process, in the format of Prometheus',
    responses: {
      200: {
        description: 'The metrics.',
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
    },
    isLocal: true,
  })
  async read(@Res() reply: FastifyReply) {
    const text = await this.metrics.read();
    reply.type(this.metrics.contentType).header('Cache-Control', 'no-store').send(text);
  }
}
