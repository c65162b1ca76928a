import { Module } from '@nestjs/common';
import { ApiRoutes } from './api-routes.js';
import { DocsController } from './docs.controller.js';
import { OpenApiController } from './openapi.controller.js';
import { ProblemsController } from './problems.controller.js';

@Module({
  controllers: [DocsController, OpenApiController, ProblemsController],
  providers: [ApiRoutes],
  exports: [ApiRoutes],
})
export class DocumentationModule {}
