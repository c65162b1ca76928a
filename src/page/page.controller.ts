import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import type { ApiResponse } from '../http/api-types.js';
import { textFromPath } from '../http/from-request.js';
import { AcceptsParameters, IsPage, RequiresRole } from '../http/route-rules.js';
import { mediaTypeOf, sendBuffer } from '../http/static-body.js';
import { ProblemError } from '../problems/problems.js';
import { readPageFiles } from './page-files.js';

/** The names of these files change with their content. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const TEXT = { schema: { type: 'string' } } as const;
const UNCHANGED: ApiResponse = { description: 'It is unchanged.', headers: ['ETag'] };

/** Serves the data page: https://github.com/preactjs/preact, built from `page/` by Vite. */
@Controller()
export class PageController {
  private files?: Promise<Map<string, Buffer>>;

  /** Its parameters are those of the list that it shows. */
  @Get()
  @RequiresRole('anyone')
  @IsPage('own')
  @AcceptsParameters()
  @Describes({
    id: 'getPage',
    tag: 'Documentation',
    summary: 'Show the marathons in a browser',
    responses: {
      200: { description: 'A page.', content: { 'text/html': TEXT } },
      304: UNCHANGED,
    },
    isLocal: true,
  })
  async show(@Res() reply: FastifyReply) {
    await this.send(reply, 'index.html');
  }

  @Get('assets/:file')
  @RequiresRole('anyone')
  @Describes({
    id: 'getPageFile',
    tag: 'Documentation',
    summary: 'A file of that page',
    responses: {
      200: {
        description: 'The file.',
        content: { 'text/javascript': TEXT, 'text/css': TEXT, 'text/plain': TEXT },
      },
      304: UNCHANGED,
    },
    problems: ['unknown_address'],
    isLocal: true,
  })
  async showFile(@textFromPath('file', 'licenses.txt') file: string, @Res() reply: FastifyReply) {
    await this.send(reply, `assets/${file}`, IMMUTABLE);
  }

  private async send(reply: FastifyReply, name: string, cacheControl?: string): Promise<void> {
    this.files ??= readPageFiles();
    const file = (await this.files).get(name);
    if (!file) throw new ProblemError('unknown_address', adviceFor(name));
    reply.type(mediaTypeOf(name)!);
    await sendBuffer(reply, file, cacheControl);
  }
}

function adviceFor(name: string): string {
  return name === 'index.html'
    ? 'The page was not built: run npm run build. The API is at /marathon/.'
    : `The page has no file "${name}". Load the page again.`;
}
