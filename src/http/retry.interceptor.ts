import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { DatabaseOpening } from '../database/opening.js';

/**
 * Gives a request one deadline, lets it wait within that for a database that is not open yet, and
 * does it again where its connection died. A read may always be done again; a write collides with
 * itself if it was done, because its request id stays the same (see `configure-app.ts`).
 */
@Injectable()
export class RetryInterceptor implements NestInterceptor {
  constructor(private readonly database: DatabaseOpening) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const answer = async () => lastValueFrom(next.handle(), { defaultValue: undefined });
    return from(this.database.persist(answer, () => reply.sent));
  }
}

/**
 * For every handler that asks the database for more than one thing. What is gathered needs none, nor
 * what asks the past: they go again by themselves, and an interceptor costs each request more than
 * all else that is done for it here.
 */
export const Retried = () => UseInterceptors(RetryInterceptor);
