import { BadRequestException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';

/**
 * Refuses query parameters where a route takes none, so that a mistyped filter never returns
 * everything. A route that takes some names them in the class of its `@Query()`.
 */
export class KnownParametersGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { query } = context.switchToHttp().getRequest<FastifyRequest>();
    const names = Object.keys(query as object);
    if (!names.length || takesParameters(context)) return true;
    throw new BadRequestException({
      detail: 'This address takes no query parameters.',
      errors: names.map((parameter) => ({ parameter, detail: 'is not known here' })),
    });
  }
}

function takesParameters(context: ExecutionContext): boolean {
  const { name } = context.getHandler();
  const args: object = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), name) ?? {};
  return Object.keys(args).some((key) => key.startsWith(`${RouteParamtypes.QUERY}:`));
}
