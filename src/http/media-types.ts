import { isUtf8 } from 'node:buffer';
import {
  BadRequestException,
  Injectable,
  SetMetadata,
  UnsupportedMediaTypeException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const JSON_TYPES = ['application/json', 'application/merge-patch+json'];
const CONSUMES = 'http:consumes';

/** Names the media types a route reads; without it, a route reads `application/json`. */
export const Consumes = (...mediaTypes: string[]) => SetMetadata(CONSUMES, mediaTypes);

/** Refuses a body in a type that this route does not read: a merge patch is no new marathon. */
@Injectable()
export class MediaTypeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const sent = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
    const readable = this.reflector.get<string[]>(CONSUMES, context.getHandler()) ?? [
      JSON_TYPES[0],
    ];
    if (sent === undefined || readable.includes(sent)) return true;
    throw new UnsupportedMediaTypeException(`Send ${readable.join(' or ')} here, not ${sent}.`);
  }
}

/** Reads JSON as RFC 8259 has it, in UTF-8 and nothing else, so that no letter is ever swapped. */
export function readJsonBodies(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    if (!isUtf8(body as Buffer)) return done(new BadRequestException('The body is not UTF-8.'));
    return parseJson(request, body.toString(), done);
  });
}
