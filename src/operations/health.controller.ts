import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { DatabaseOpening } from '../database/opening.js';

/** For those who watch over the service. Neither asks the database, so that one that sleeps may sleep. */
@Controller('health')
export class HealthController {
  constructor(private readonly database: DatabaseOpening) {}

  @Get('live')
  isLive() {
    return { status: 'live' };
  }

  /** Whether the database answered when it was last asked. */
  @Get('ready')
  isReady() {
    if (this.database.isReachable) return { status: 'ready' };
    throw new ServiceUnavailableException('The database is not reached: requests wait for it.');
  }
}
