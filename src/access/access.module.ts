import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessControl } from './access-control.js';
import { ApiKeyCache } from './api-key-cache.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { LastUses } from './last-uses.js';

/** API keys, and the check of each request. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey])],
  controllers: [ApiKeysController],
  providers: [AccessControl, ApiKeyCache, ApiKeysService, LastUses],
  exports: [AccessControl, ApiKeysService],
})
export class AccessModule {}
