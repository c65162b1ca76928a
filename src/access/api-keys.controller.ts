import { Controller, Delete, Get, Header, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { ProblemError } from '../problems/problems.js';
import { RecordId } from '../http/record-id.js';
import { RequiresRole } from '../http/route-rules.js';
import { ValidatedBody } from '../http/validation.js';
import { AuthorshipOfRequest, type Authorship } from '../http/write-options.js';
import * as api from './api-keys.api.js';
import { CreateApiKeyDto } from './api-key.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@Controller('keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeysService,
    @InjectSettings() private readonly settings: Settings,
  ) {}

  @Get()
  @RequiresRole('admin')
  @Header('Cache-Control', 'no-store')
  @Describes(api.FIND_ALL)
  async findAll() {
    this.assertUsed();
    return { keys: await this.keys.findAll() };
  }

  @Post()
  @RequiresRole('admin')
  @Header('Cache-Control', 'no-store')
  @Describes(api.CREATE)
  async create(
    @ValidatedBody(CreateApiKeyDto) body: CreateApiKeyDto,
    @AuthorshipOfRequest() authorship: Authorship,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.assertUsed();
    const created = await this.keys.create(body, authorship);
    reply.header('Location', `/keys/${created.id}`);
    return created;
  }

  @Delete(':id')
  @RequiresRole('admin')
  @HttpCode(204)
  @Describes(api.REVOKE)
  async revoke(@RecordId('API key') id: number) {
    this.assertUsed();
    await this.keys.revoke(id);
  }

  /** While access is open, anybody could create a key for the time when it no longer is. */
  private assertUsed(): void {
    if (this.settings.access !== 'open') return;
    throw new ProblemError(
      'access_is_open',
      'Access is open, and keys are not used. Set ACCESS=keys, or use npm run marathon -- key.',
    );
  }
}
