import { Module } from '@nestjs/common';
import { SettingsModule } from './config/settings.module.js';
import { DatabaseModule } from './database/database.module.js';
import { MarathonModule } from './marathon/marathon.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { ProblemsModule } from './problems/problems.module.js';

@Module({
  imports: [SettingsModule, DatabaseModule, MarathonModule, OperationsModule, ProblemsModule],
})
export class AppModule {}
