import {
  Injectable,
  SetMetadata,
  UnsupportedMediaTypeException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

export const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
export const ROW_TYPES = ['text/csv', 'application/x-ndjson'];

const CONSUMES = 'http:consumes';

/** Names the media types a route reads; without it, a route reads `application/json`. */
export const Consumes = (...mediaTypes: string[]) => SetMetadata(CONSUMES, mediaTypes);

/** Refuses a body in a type that this route does not read: a merge patch is no new marathon. */
@Injectable()
export class MediaTypeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const [type, ...parameters] = headers['content-type']?.toLowerCase().split(/\s*;\s*/) ?? [];
    const readable = this.reflector.get<string[]>(CONSUMES, context.getHandler()) ?? [
      JSON_TYPES[0],
    ];
    if (type !== undefined && !readable.includes(type.trim())) {
      throw new UnsupportedMediaTypeException(`Send ${readable.join(' or ')} here, not ${type}.`);
    }
    refuseEncodings(parameters, headers['content-encoding']);
    return true;
  }
}

function refuseEncodings(parameters: string[], encoding = 'identity'): void {
  const charset = parameters
    .find((text) => text.startsWith('charset='))
    ?.replaceAll(/charset=|"/g, '');
  if (!['utf-8', 'utf8', undefined].includes(charset)) {
    throw new UnsupportedMediaTypeException(`Send UTF-8 here, not ${charset}.`);
  }
  if (encoding !== 'identity') {
    throw new UnsupportedMediaTypeException(`Send the body as it is, not as ${encoding}.`);
  }
}
