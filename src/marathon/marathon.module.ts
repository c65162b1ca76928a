import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MarathonController } from './marathon.controller.js';
import { Marathon } from './marathon.entity.js';
import { MarathonService } from './marathon.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Marathon])],
  controllers: [MarathonController],
  providers: [MarathonService],
  exports: [MarathonService],
})
export class MarathonModule {}
