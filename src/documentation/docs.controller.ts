import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Describes } from '../http/api-operation.js';
import { textFromPath } from '../http/from-request.js';
import { IsPage, RequiresRole } from '../http/route-rules.js';
import { mediaTypeOf, sendBuffer } from '../http/static-body.js';
import { ProblemError } from '../problems/problems.js';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The marathon registry: API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
});
`;

const OWN_FILES: Record<string, string> = { '': PAGE, 'start.js': START };
const LIBRARY_FILES = new Set(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']);
/** Serves Swagger UI from the files of its package: nothing is loaded from another host. */
@Controller('docs')
export class DocsController {
  private readonly files = new Map<string, Promise<Buffer>>();

  @Get()
  @RequiresRole('anyone')
  @IsPage('swagger-ui')
  @Describes({
    id: 'getDocs',
    tag: 'Documentation',
    summary: 'Show the API in a browser',
    responses: {
      200: { description: 'A page.', content: { 'text/html': { schema: { type: 'string' } } } },
      304: { description: 'It is unchanged.', headers: ['ETag'] },
    },
    isLocal: true,
  })
  async show(@Res() reply: FastifyReply) {
    await this.send(reply, '');
  }

  @Get(':file')
  @RequiresRole('anyone')
  @Describes({
    id: 'getDocsFile',
    tag: 'Documentation',
    summary: 'A file of that page',
    responses: {
      200: {
        description: 'The file.',
        content: {
          'text/javascript': { schema: { type: 'string' } },
          'text/css': { schema: { type: 'string' } },
        },
      },
      304: { description: 'It is unchanged.', headers: ['ETag'] },
    },
    problems: ['unknown_address'],
    isLocal: true,
  })
  async showFile(@textFromPath('file', 'start.js') file: string, @Res() reply: FastifyReply) {
    await this.send(reply, file);
  }

  private async send(reply: FastifyReply, name: string): Promise<void> {
    const file = this.files.get(name) ?? read(name);
    const bytes = await file;
    this.files.set(name, file);
    reply.type(mediaTypeOf(name || 'index.html')!);
    await sendBuffer(reply, bytes);
  }
}

async function read(name: string): Promise<Buffer> {
  if (Object.hasOwn(OWN_FILES, name)) return Buffer.from(OWN_FILES[name]!);
  if (LIBRARY_FILES.has(name)) {
    const library = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    return readFile(join(library, name));
  }
  throw new ProblemError('unknown_address', `There is no file "${name}". /docs is the page.`);
}
