// As Nest's own sample for TypeORM (sample/05-sql-typeorm): Express, a repository, find and save.
import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryGeneratedColumn, Repository } from 'typeorm';

@Entity()
class Marathon {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'varchar', length: 100, nullable: true })
  name!: string | null;

  @Column({ type: 'varchar', length: 50, nullable: true })
  city!: string | null;

  @Column({ type: 'integer', nullable: true })
  inception_year!: number | null;
}

@Injectable()
class MarathonService {
  constructor(@InjectRepository(Marathon) private readonly marathons: Repository<Marathon>) {}

  async findAll(): Promise<Marathon[]> {
    return this.marathons.find({ order: { id: 'ASC' } });
  }

  async findOne(id: number): Promise<Marathon | null> {
    return this.marathons.findOneBy({ id });
  }

  async create(details: Partial<Marathon>): Promise<Marathon> {
    return this.marathons.save(this.marathons.create(details));
  }
}

@Controller('marathon')
class MarathonController {
  constructor(private readonly marathons: MarathonService) {}

  @Get()
  async findAll() {
    return { marathon_list: await this.marathons.findAll() };
  }

  @Get(':id')
  async findOne(@Param('id', ParseIntPipe) id: number) {
    const marathon = await this.marathons.findOne(id);
    if (!marathon) throw new NotFoundException();
    return marathon;
  }

  @Post()
  async create(@Body() details: Partial<Marathon>) {
    const { id } = await this.marathons.create(details);
    return { id };
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      poolSize: Number(process.env.DB_POOL_SIZE),
      entities: [Marathon],
    }),
    TypeOrmModule.forFeature([Marathon]),
  ],
  controllers: [MarathonController],
  providers: [MarathonService],
})
class PeerModule {}

const app = await NestFactory.create(PeerModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
console.log(`Listening at ${await app.getUrl()}`);
