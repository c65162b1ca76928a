import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Consumes } from '../http/media-types.js';
import { MarathonIdPipe } from './marathon-id.pipe.js';
import { MarathonChanges, MarathonDetails } from './marathon.dto.js';
import { MarathonService } from './marathon.service.js';
import { VersionedInterceptor } from './versioned.interceptor.js';

@Controller('marathon')
@UseInterceptors(VersionedInterceptor)
export class MarathonController {
  constructor(private readonly marathons: MarathonService) {}

  @Get()
  async findAll() {
    return { marathon_list: await this.marathons.findAll() };
  }

  @Post()
  async create(@Body() details: MarathonDetails, @Res({ passthrough: true }) reply: FastifyReply) {
    const { id, version } = await this.marathons.create(details);
    reply.header('Location', `/marathon/${id}`);
    return { id, version };
  }

  @Get(':id')
  async findOne(@Param('id', MarathonIdPipe) id: number) {
    return this.marathons.findOne(id);
  }

  @Put(':id')
  async replace(@Param('id', MarathonIdPipe) id: number, @Body() details: MarathonDetails) {
    return this.marathons.update(id, details);
  }

  @Patch(':id')
  @Consumes('application/merge-patch+json', 'application/json')
  async update(@Param('id', MarathonIdPipe) id: number, @Body() changes: MarathonChanges) {
    return this.marathons.update(id, changes);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', MarathonIdPipe) id: number) {
    await this.marathons.remove(id);
  }
}
