import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MarathonController } from './marathon.controller.js';
import { Marathon } from './marathon.entity.js';
import { MarathonFiles } from './marathon.files.js';
import { MarathonService } from './marathon.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Marathon])],
  controllers: [MarathonController],
  providers: [MarathonService, MarathonFiles],
  exports: [MarathonService, MarathonFiles],
})
export class MarathonModule {}
