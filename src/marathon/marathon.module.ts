import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EventStreams } from '../http/event-streams.js';
import { JournalModule } from '../journal/journal.module.js';
import { SearchModule } from '../search/search.module.js';
import { ListReader } from '../transfer/list-reader.js';
import { MarathonListsController } from './marathon-lists.controller.js';
import { MarathonLists } from './marathon-lists.service.js';
import { MarathonPastController } from './marathon-past.controller.js';
import { MarathonPastService } from './marathon-past.service.js';
import { SEARCHED } from './marathon.columns.js';
import { MarathonController } from './marathon.controller.js';
import { Marathon } from './marathon.entity.js';
import { MarathonFiles } from './marathon.files.js';
import { MarathonService } from './marathon.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Marathon]),
    JournalModule.forFeature(Marathon),
    SearchModule.forFeature(Marathon, SEARCHED),
  ],
  controllers: [MarathonListsController, MarathonPastController, MarathonController],
  providers: [
    MarathonService,
    MarathonPastService,
    MarathonLists,
    MarathonFiles,
    EventStreams,
    ListReader,
  ],
  exports: [MarathonService, MarathonFiles],
})
export class MarathonModule {}
