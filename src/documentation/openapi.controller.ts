import { Controller, Get, Header, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { readFile } from 'node:fs/promises';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { Describes, jsonContent } from '../http/api-operation.js';
import { sendBuffer } from '../http/static-body.js';
import { RequiresRole } from '../http/route-rules.js';
import { ApiRoutes } from './api-routes.js';
import { describeApi } from './openapi.js';
import { findUpwards } from '../http/package-files.js';

/** Serves the description of the API: https://spec.openapis.org/oas/v3.1.0 */
@Controller('openapi.json')
export class OpenApiController {
  private document?: Promise<Buffer>;

  constructor(
    private readonly routes: ApiRoutes,
    @InjectSettings() private readonly settings: Settings,
  ) {}

  @Get()
  @RequiresRole('anyone')
  @Header('Content-Type', 'application/json; charset=utf-8')
  @Describes({
    id: 'getDescription',
    tag: 'Documentation',
    summary: 'Describe the API, as OpenAPI 3.1',
    responses: {
      200: { description: 'This document.', content: jsonContent({ type: 'object' }) },
      304: { description: 'It is unchanged.', headers: ['ETag'] },
    },
    isLocal: true,
  })
  async describe(@Res() reply: FastifyReply) {
    this.document ??= this.write();
    await sendBuffer(reply, await this.document);
  }

  private async write(): Promise<Buffer> {
    const text = await readFile(findUpwards('package.json', import.meta.dirname), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    return Buffer.from(JSON.stringify(describeApi(this.routes.all, version, this.settings.access)));
  }
}
