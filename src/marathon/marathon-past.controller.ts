import type { IncomingHttpHeaders } from 'node:http';
import { BadRequestException, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { EventStreams } from '../http/event-streams.js';
import { QueryOf } from '../http/input.js';
import { OnTerms } from '../http/on-terms.js';
import { Retried } from '../http/retry.interceptor.js';
import { showVersioned } from '../http/versioned.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { MarathonId } from './marathon-id.js';
import { MarathonPastService } from './marathon-past.service.js';
import { ChangesPage, HistoryPage, RestoredVersion } from './marathon.dto.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonPastController {
  constructor(
    private readonly past: MarathonPastService,
    private readonly marathons: MarathonService,
    private readonly streams: EventStreams,
  ) {}

  @Get(':id/history')
  async history(
    @MarathonId() id: number,
    @QueryOf(HistoryPage) page: HistoryPage,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const history = await this.past.history(id, page);
    if (history.length === page.limit) {
      const before = history.at(-1)!.version;
      reply.header(
        'Link',
        `</marathon/${id}/history?before=${before}&limit=${page.limit}>; rel="next"`,
      );
    }
    return { history };
  }

  @Post(':id/restore')
  @Retried()
  @HttpCode(200)
  async restore(
    @MarathonId() id: number,
    @QueryOf(RestoredVersion) { version }: RestoredVersion,
    @OnTerms() terms: WriteTerms,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return showVersioned(reply, await this.marathons.restore(id, version, terms));
  }

  @Get('changes')
  async changes(@QueryOf(ChangesPage) page: ChangesPage, @Res() reply: FastifyReply) {
    const { method, headers } = reply.request;
    const isStream = method === 'GET' && headers.accept?.includes('text/event-stream');
    if (isStream) await this.stream(readLastEventId(headers) ?? page.since ?? 0, reply);
    else await this.list(page, reply);
  }

  private async stream(since: number, reply: FastifyReply): Promise<void> {
    await this.past.mustHaveHappened(since);
    await this.streams.send(reply, (signal) => this.past.follow(since, signal));
  }

  private async list(page: ChangesPage, reply: FastifyReply): Promise<void> {
    const changes = await this.past.changes(page);
    if (changes.length === page.limit) {
      const since = changes.at(-1)!.seq;
      reply.header('Link', `</marathon/changes?since=${since}&limit=${page.limit}>; rel="next"`);
    }
    void reply.send({ changes });
  }
}

function readLastEventId(headers: IncomingHttpHeaders): number | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  if (/^\d{1,15}$/.test(String(id))) return Number(id);
  throw new BadRequestException('Last-Event-ID is the id of an event that was sent from here.');
}
