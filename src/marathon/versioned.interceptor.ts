import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';

/** Moves a record's version out of the body into the ETag header (RFC 9110, section 8.8.3). */
export class VersionedInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      map((record: object | undefined) => {
        if (!record || !('version' in record)) return record;
        const { version, ...shown } = record;
        context
          .switchToHttp()
          .getResponse<FastifyReply>()
          .header('ETag', `"${String(version)}"`);
        return shown;
      }),
    );
  }
}
