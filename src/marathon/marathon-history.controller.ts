import type { IncomingHttpHeaders } from 'node:http';
import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import { sendWithETag } from '../http/entity-response.js';
import { EventStreams } from '../http/event-streams.js';
import { RecordId } from '../http/record-id.js';
import { RetryOnConnectionLoss } from '../http/retry.interceptor.js';
import { ValidatedQuery } from '../http/validation.js';
import { WriteOptions } from '../http/write-options.js';
import { ProblemError } from '../problems/problems.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { ChangesQuery, HistoryQuery, RestoreQuery } from './marathon.dto.js';
import * as api from './marathon-history.api.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonHistoryController {
  constructor(
    private readonly histories: MarathonHistoryService,
    private readonly marathons: MarathonService,
    private readonly streams: EventStreams,
  ) {}

  @Get(':id/history')
  @Describes(api.HISTORY)
  async history(
    @RecordId('marathon') id: number,
    @ValidatedQuery(HistoryQuery) query: HistoryQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const history = await this.histories.history(id, query);
    const before = history.at(-1)?.version;
    const next = `/marathon/${id}/history?before=${before}&limit=${query.limit}`;
    if (history.length === query.limit) reply.header('Link', `<${next}>; rel="next"`);
    return { history };
  }

  @Post(':id/restore')
  @RetryOnConnectionLoss()
  @HttpCode(200)
  @Describes(api.RESTORE)
  async restore(
    @RecordId('marathon') id: number,
    @ValidatedQuery(RestoreQuery) { version }: RestoreQuery,
    @WriteOptions() options: WriteOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return sendWithETag(reply, await this.marathons.restore(id, version, options));
  }

  @Get('changes')
  @Describes(api.CHANGES_OPERATION)
  async changes(@ValidatedQuery(ChangesQuery) query: ChangesQuery, @Res() reply: FastifyReply) {
    const { method, headers } = reply.request;
    const isStream = method === 'GET' && headers.accept?.includes('text/event-stream');
    if (isStream) await this.sendStream(parseLastEventId(headers) ?? query.since ?? 0, reply);
    else await this.sendPage(query, reply);
  }

  private async sendStream(since: number, reply: FastifyReply): Promise<void> {
    await this.histories.assertHappened(since);
    await this.streams.send(reply, (signal) => this.histories.follow(since, signal));
  }

  private async sendPage(query: ChangesQuery, reply: FastifyReply): Promise<void> {
    const changes = await this.histories.changes(query);
    const next = `/marathon/changes?since=${changes.at(-1)?.seq}&limit=${query.limit}`;
    if (changes.length === query.limit) reply.header('Link', `<${next}>; rel="next"`);
    void reply.send({ changes });
  }
}

function parseLastEventId(headers: IncomingHttpHeaders): number | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  if (/^\d{1,15}$/.test(String(id))) return Number(id);
  throw new ProblemError(
    'invalid_header',
    'Last-Event-ID is not the id of an event. Send the id of the last event that was received.',
  );
}
