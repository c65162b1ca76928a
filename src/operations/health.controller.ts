import { Controller, Get } from '@nestjs/common';
import { DatabaseStartup } from '../database/database-startup.js';
import { RequiresRole } from '../http/route-rules.js';
import { ProblemError } from '../problems/problems.js';

/** Health checks. They do not query the database, so that a serverless database can suspend. */
@Controller('health')
export class HealthController {
  constructor(private readonly database: DatabaseStartup) {}

  @Get('live')
  @RequiresRole('anyone')
  isLive() {
    return { status: 'live' };
  }

  /** Whether the last use of the database succeeded. */
  @Get('ready')
  @RequiresRole('anyone')
  isReady() {
    if (this.database.isReachable) return { status: 'ready' };
    throw new ProblemError(
      'database_unavailable',
      'The database is unreachable. Requests wait for it.',
    );
  }
}
