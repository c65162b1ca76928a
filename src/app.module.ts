import { Module } from '@nestjs/common';
import { DatabaseModule } from './database/database.module.js';
import { MarathonModule } from './marathon/marathon.module.js';
import { OperationsModule } from './operations/operations.module.js';

@Module({ imports: [DatabaseModule, MarathonModule, OperationsModule] })
export class AppModule {}
