import { Controller, Delete, Get, HttpCode, Patch, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import type { ChangeRange } from '../journal/change-counts.js';
import { confirmPreference } from '../http/preferences.js';
import { RetryOnConnectionLoss } from '../http/retry.interceptor.js';
import { Consumes } from '../http/route-rules.js';
import { UploadedRows } from '../http/upload.js';
import { ValidatedBody, ValidatedBodyOrRows } from '../http/validation.js';
import { WriteOptions } from '../http/write-options.js';
import { FormatOption, ListOptions } from '../lists/list-parameters.js';
import {
  ListQueryOf,
  SelectionOf,
  type ListRequest,
  type ParsedList,
  type Selection,
} from '../lists/list-request.js';
import { sendList } from '../lists/list-response.js';
import { sendRange, sendSummary } from '../lists/write-response.js';
import { MarathonCollectionService } from './marathon-collection.service.js';
import { MarathonTransferService, requestedImport } from './marathon-transfer.service.js';
import {
  AnniversaryQuery,
  CreateMarathonDto,
  UndoQuery,
  UpdateMarathonDto,
  UpsertQuery,
} from './marathon.dto.js';
import { ANNIVERSARIES, DELETED, MARATHONS } from './marathon.lists.js';
import * as api from './marathon-collection.api.js';
import { MarathonService } from './marathon.service.js';

@Controller('marathon')
export class MarathonCollectionController {
  constructor(
    private readonly marathons: MarathonService,
    private readonly collection: MarathonCollectionService,
    private readonly transfer: MarathonTransferService,
  ) {}

  @Get()
  @Describes(api.FIND_ALL)
  async findAll(
    @ListQueryOf(MARATHONS, ListOptions) { request, options }: ParsedList<ListOptions>,
    @Res() reply: FastifyReply,
  ) {
    await sendList(reply, request, await this.collection.find(request, options.as_of));
  }

  @Get('anniversaries')
  @Describes(api.FIND_ANNIVERSARIES)
  async findAnniversaries(
    @ListQueryOf(ANNIVERSARIES, AnniversaryQuery) parsed: ParsedList<AnniversaryQuery>,
    @Res() reply: FastifyReply,
  ) {
    const { request, options } = parsed;
    await sendList(reply, request, await this.collection.findAnniversaries(request, options.year));
  }

  @Get('deleted')
  @Describes(api.FIND_DELETED)
  async findDeleted(
    @ListQueryOf(DELETED, FormatOption) { request }: ParsedList<FormatOption>,
    @Res() reply: FastifyReply,
  ) {
    await sendList(reply, request, await this.collection.findDeleted(request));
  }

  @Post()
  @Consumes('application/json', 'text/csv', 'application/x-ndjson', 'multipart/form-data')
  @Describes(api.CREATE)
  async create(
    @ValidatedBodyOrRows(CreateMarathonDto) body: CreateMarathonDto | UploadedRows,
    @ListQueryOf(MARATHONS, UpsertQuery, 'select') parsed: ParsedList<UpsertQuery>,
    @WriteOptions('resolution', 'return', 'missing') options: WriteOptions,
    @Res() reply: FastifyReply,
  ) {
    reply.code(201);
    const requested = requestedImport(body, reply.request.body, parsed.options, options);
    if (!requested)
      return this.createOne(body as CreateMarathonDto, parsed.request, options, reply);
    const { rows } = requested;
    const how = { ...requested.how, signal: parsed.request.client.signal };
    const { range, ...counts } = await this.transfer.import(rows, how, options);
    // an import may take longer than the deadline of the request
    await this.respond(reply, parsed.request.restarted(), options, counts, range);
  }

  @Patch()
  @RetryOnConnectionLoss()
  @Consumes('application/merge-patch+json', 'application/json')
  @Describes(api.UPDATE_MANY)
  async update(
    @SelectionOf(MARATHONS) { selected, request }: Selection,
    @ValidatedBody(UpdateMarathonDto) changes: UpdateMarathonDto,
    @WriteOptions('max-affected', 'return') options: WriteOptions,
    @Res() reply: FastifyReply,
  ) {
    const { updated, skipped, range } = await this.collection.update(selected, changes, options);
    await this.respond(reply, request, options, { updated, skipped }, range);
  }

  @Delete()
  @RetryOnConnectionLoss()
  @Describes(api.REMOVE_MANY)
  async remove(
    @SelectionOf(MARATHONS) { selected, request }: Selection,
    @WriteOptions('max-affected', 'return') options: WriteOptions,
    @Res() reply: FastifyReply,
  ) {
    const { deleted, range } = await this.collection.remove(selected, options);
    await this.respond(reply, request, options, { deleted }, range);
  }

  @Post('restore')
  @HttpCode(200)
  @Describes(api.UNDO)
  async undo(
    @ListQueryOf(MARATHONS, UndoQuery, 'select') parsed: ParsedList<UndoQuery>,
    @WriteOptions('max-affected', 'return') options: WriteOptions,
    @Res() reply: FastifyReply,
  ) {
    const { changes } = parsed.options;
    const { restored, deleted, skipped, range } = await this.collection.undo(changes, options);
    const summary = { restored, deleted, skipped };
    await this.respond(reply, parsed.request.restarted(), options, summary, range);
  }

  private async createOne(
    details: CreateMarathonDto,
    request: ListRequest,
    options: WriteOptions,
    reply: FastifyReply,
  ): Promise<void> {
    const { id, version } = await this.marathons.create(details, options);
    reply.header('Location', `/marathon/${id}`).header('ETag', `"${version}"`);
    await this.respond(reply, request, options, { id });
  }

  /** Sends the changed marathons if the client prefers them, and else a summary. */
  private async respond(
    reply: FastifyReply,
    request: ListRequest,
    options: WriteOptions,
    summary: object,
    range: ChangeRange | null = null,
  ): Promise<void> {
    sendRange(reply, range, options);
    if (!options.returnsRepresentation) return sendSummary(reply, options, summary);
    confirmPreference(reply, 'return=representation');
    const changed = await this.collection.findChanged(request, options);
    await sendList(reply, request, changed);
  }
}
