import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { isKnown } from '../http/entity-tags.js';

/**
 * Moves a version out of the body into the ETag header, and answers 304 to who has it already
 * (RFC 9110, sections 8.8.3 and 13.1.2).
 */
export class VersionedInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    return next.handle().pipe(
      map((record: object | undefined) => {
        if (!record || !('version' in record)) return record;
        const { version, ...shown } = record;
        const reply = http.getResponse<FastifyReply>().header('ETag', `"${String(version)}"`);
        const { method, headers } = http.getRequest<FastifyRequest>();
        const isRead = method === 'GET' || method === 'HEAD';
        if (!isRead || !isKnown(headers['if-none-match'], Number(version))) return shown;
        reply.code(304);
        return undefined;
      }),
    );
  }
}
