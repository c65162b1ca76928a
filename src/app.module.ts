import { Module } from '@nestjs/common';
import { DatabaseModule } from './database/database.module.js';
import { MarathonModule } from './marathon/marathon.module.js';

@Module({ imports: [DatabaseModule, MarathonModule] })
export class AppModule {}
