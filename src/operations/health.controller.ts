import { Controller, Get } from '@nestjs/common';
import { DatabaseStartup } from '../database/database-startup.js';
import { RequiresRole } from '../http/route-rules.js';
import { Describes, jsonContent, objectOf } from '../http/api-operation.js';
import type { ApiOperation } from '../http/api-types.js';
import { ProblemError } from '../problems/problems.js';

const LIVE: ApiOperation = {
  id: 'getLiveness',
  tag: 'Operation',
  summary: 'Whether the process runs',
  responses: {
    200: {
      description: 'It runs.',
      content: jsonContent(objectOf({ status: { const: 'live' } }), { status: 'live' }),
    },
  },
  isLocal: true,
};
const READY: ApiOperation = {
  id: 'getReadiness',
  tag: 'Operation',
  summary: 'Whether the last use of the database succeeded',
  responses: {
    200: {
      description: 'It succeeded.',
      content: jsonContent(objectOf({ status: { const: 'ready' } }), { status: 'ready' }),
    },
  },
};

/** Health checks. They do not query the database, so that a serverless database can suspend. */
@Controller('health')
export class HealthController {
  constructor(private readonly database: DatabaseStartup) {}

  @Get('live')
  @RequiresRole('anyone')
  @Describes(LIVE)
  isLive() {
    return { status: 'live' };
  }

  /** Whether the last use of the database succeeded. */
  @Get('ready')
  @RequiresRole('anyone')
  @Describes(READY)
  isReady() {
    if (this.database.isReachable) return { status: 'ready' };
    throw new ProblemError(
      'database_unavailable',
      'The database is unreachable. Requests wait for it.',
    );
  }
}
