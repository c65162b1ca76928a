import { Module } from '@nestjs/common';
import { MarathonModule } from '../marathon/marathon.module.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [MarathonModule],
  controllers: [HealthController, MetricsController],
  providers: [MetricsService],
})
export class OperationsModule {}
