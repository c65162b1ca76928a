import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventStreams } from '../http/event-streams.js';
import { ImportsModule } from '../imports/imports.module.js';
import { JournalModule } from '../journal/journal.module.js';
import { ListService } from '../lists/list.service.js';
import { Gazetteer } from '../places/gazetteer.js';
import { SearchModule } from '../search/search.module.js';
import { MarathonCollectionController } from './marathon-collection.controller.js';
import { MarathonCollectionService } from './marathon-collection.service.js';
import { MarathonHistoryController } from './marathon-history.controller.js';
import { MarathonHistoryService } from './marathon-history.service.js';
import { MarathonStatisticsController } from './marathon-statistics.controller.js';
import { MarathonStatisticsService } from './marathon-statistics.service.js';
import { MarathonTransferService } from './marathon-transfer.service.js';
import { MarathonController } from './marathon.controller.js';
import { Marathon } from './marathon.entity.js';
import { MarathonService } from './marathon.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Marathon]),
    JournalModule.forFeature(Marathon),
    SearchModule.forFeature(Marathon),
    ImportsModule.forFeature(Marathon),
  ],
  controllers: [
    MarathonCollectionController,
    MarathonStatisticsController,
    MarathonHistoryController,
    MarathonController,
  ],
  providers: [
    MarathonService,
    MarathonHistoryService,
    MarathonCollectionService,
    MarathonStatisticsService,
    MarathonTransferService,
    Gazetteer,
    EventStreams,
    ListService,
  ],
  exports: [EventStreams, JournalModule, MarathonService, MarathonTransferService],
})
export class MarathonModule {}
