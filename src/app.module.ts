import { Module } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { SettingsModule } from './config/settings.module.js';
import { DatabaseModule } from './database/database.module.js';
import { MarathonModule } from './marathon/marathon.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { DocumentationModule } from './documentation/documentation.module.js';
import { PageModule } from './page/page.module.js';

@Module({
  imports: [
    SettingsModule,
    DatabaseModule,
    AccessModule,
    MarathonModule,
    OperationsModule,
    DocumentationModule,
    PageModule,
  ],
})
export class AppModule {}
