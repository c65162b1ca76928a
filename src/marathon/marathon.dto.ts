import { IsIn, IsString, Length } from 'class-validator';
import { HasSchema } from '../http/dto-metadata.js';
import { CreateDto, UpdateDto } from '../http/resource-dtos.js';
import {
  IsIntegerParameter,
  IsOptionalNotNull,
  IsPastTime,
  IsRangeParameter,
} from '../http/value-rules.js';
import type { ChangeRange } from '../journal/change-counts.js';
import type { Operation } from '../journal/journal.entity.js';
import { FormatOption } from '../lists/list-parameters.js';
import { MAX_ID } from '../resource/resource.js';
import { Marathon } from './marathon.entity.js';
import { RESOURCE } from './marathon.lists.js';

/** The body that creates or replaces a marathon. */
export class CreateMarathonDto extends CreateDto(Marathon) {}

/** The body that updates a marathon: only what is sent changes (RFC 7396). */
export class UpdateMarathonDto extends UpdateDto(Marathon) {}

/** A marathon in an answer. */
export type MarathonResponse = Omit<Marathon, 'version'>;

/** A change, and the marathon after it; for a deletion, before it. */
export interface ChangeResponse {
  seq: number;
  operation: Operation;
  version: number;
  at: Date;
  by: string | null;
  marathon: MarathonResponse;
}

/** Statistics. A decade or city of null counts the marathons without one. */
export interface StatisticsResponse {
  count: number;
  by_decade: { decade: number | null; count: number }[];
  /** The number of cities; `by_city` lists the hundred with the most marathons. */
  cities: number;
  by_city: { city: string | null; count: number }[];
  oldest: MarathonResponse | null;
  newest: MarathonResponse | null;
}

/** A point in time. */
export class AsOfQuery {
  @IsOptionalNotNull()
  @IsPastTime()
  as_of?: Date;
}

export class AnniversaryQuery extends FormatOption {
  @IsIntegerParameter({ min: 1, max: 9999, example: 2027 })
  year = new Date().getUTCFullYear();
}

const NATURAL_KEY = RESOURCE.naturalKey.join(',');
/** How marathons are stored that may exist already. */
export class UpsertQuery {
  @IsOptionalNotNull()
  @HasSchema({ type: 'string', enum: [NATURAL_KEY, 'id'] })
  @IsIn([NATURAL_KEY, 'id'], { message: `can be ${NATURAL_KEY} or id` })
  on_conflict?: string;

  /** The columns that are read, and their names in the upload, as in `name:Race`. */
  @IsOptionalNotNull()
  @HasSchema({ type: 'string', examples: [RESOURCE.columns.map(({ name }) => name).join(',')] })
  @IsString({ message: 'can be sent once only' })
  columns?: string;

  /** A text that means null in CSV. */
  @IsOptionalNotNull()
  @HasSchema({ type: 'string', minLength: 1, maxLength: 100, examples: ['N/A'] })
  @Length(1, 100, { message: 'has 1 to 100 characters' })
  null?: string;
}

/** The version to restore. The default is the one before the deletion. */
export class RestoreQuery {
  @IsOptionalNotNull()
  @IsIntegerParameter({ min: 1, max: MAX_ID })
  version?: number;
}

/** The changes of a write that is undone, as its header `Change-Range` names them. */
export class UndoQuery {
  @IsRangeParameter({ example: '1-1' })
  changes!: ChangeRange;
}

/** A page of changes: those after `since`. */
export class ChangesQuery {
  @IsOptionalNotNull()
  @IsIntegerParameter({ min: 0, max: Number.MAX_SAFE_INTEGER })
  since?: number;

  @IsIntegerParameter({ min: 1, max: 1000 })
  limit = 1000;
}

/** A page of versions, newest first: those before `before`. */
export class HistoryQuery {
  @IsOptionalNotNull()
  @IsIntegerParameter({ min: 1, max: MAX_ID })
  before?: number;

  @IsIntegerParameter({ min: 1, max: 1000 })
  limit = 1000;
}
