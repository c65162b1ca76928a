import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { DatabaseStartup } from '../database/database-startup.js';

/**
 * Runs a handler under one deadline: it waits for a database that is not ready, and is retried if its
 * connection fails. A read can always be retried. A write is stored once, because its request id stays
 * the same (see `configure-app.ts`).
 */
@Injectable()
export class RetryInterceptor implements NestInterceptor {
  constructor(private readonly database: DatabaseStartup) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const handle = async () => lastValueFrom(next.handle(), { defaultValue: undefined });
    return from(this.database.withRetry(handle, () => reply.sent));
  }
}

/**
 * For handlers that run more than one statement. Batched reads and writes retry by themselves, without
 * the cost of an interceptor: `docs/performance.md` has the figures.
 */
export const RetryOnConnectionLoss = () => UseInterceptors(RetryInterceptor);
