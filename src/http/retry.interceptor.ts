import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { withinDeadline } from '../database/deadline.js';
import { DatabaseOpening } from '../database/opening.js';
import { retryWhileAway } from '../database/retry.js';
import { environment } from '../environment.js';

const WITHOUT_DATABASE = 'http:without-database';

/** Marks a controller that answers whether there is a database or not. */
export const WithoutDatabase = () => SetMetadata(WITHOUT_DATABASE, true);

/**
 * Gives every request one deadline, lets it wait within that for a database that is not open yet, and
 * does it again where its connection died. A read may always be done again; a write collides with
 * itself if it was done, because its request id stays the same (see `on-terms.ts`).
 */
@Injectable()
export class RetryInterceptor implements NestInterceptor {
  constructor(
    private readonly database: DatabaseOpening,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (this.reflector.get<boolean>(WITHOUT_DATABASE, context.getClass())) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const answer = async () => {
      if (!this.database.isOpen) await this.database.wait();
      return lastValueFrom(next.handle(), { defaultValue: undefined });
    };
    return from(
      withinDeadline(environment.deadlineMs, async () => retryWhileAway(answer, () => reply.sent)),
    );
  }
}
