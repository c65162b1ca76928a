import type { Writable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { oneRow, UploadedRows, type RowSource } from '../http/upload.js';
import { parseColumns } from '../http/validation.js';
import type { WriteOptions } from '../http/write-options.js';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import type { ImportCounts, Importer } from '../imports/importer.js';
import { InjectImporter } from '../imports/imports.module.js';
import type { UploadDescription } from '../imports/describe-upload.js';
import type { ImportOptions } from '../imports/import-options.js';
import type { Conflict } from '../imports/merge.js';
import type { WriteOptions as JournalWriteOptions } from '../journal/write-options.js';
import type { FormatName } from '../lists/formats.js';
import { exportList } from '../lists/list-export.js';
import { ListParametersParser, NoOptions } from '../lists/list-parameters.js';
import { ProblemError } from '../problems/problems.js';
import type { QueryParameters } from '../query/parameters.js';
import type { Search } from '../search/search.js';
import { InjectSearch } from '../search/search.module.js';
import type { CreateMarathonDto, UpsertQuery } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';
import { MARATHONS, RESOURCE, UPLOAD_COLUMNS } from './marathon.lists.js';

const EXPORT_PARAMETERS = new ListParametersParser(MARATHONS, NoOptions, 'all');

/** Imports and exports many marathons. */
@Injectable()
export class MarathonTransferService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectImporter(Marathon) private readonly importer: Importer<Marathon>,
    @InjectSearch(Marathon) private readonly search: Search,
    @InjectSettings() private readonly settings: Settings,
  ) {}

  /**
   * Stores all rows, or none. With a `conflict`, existing marathons are updated or skipped.
   * @throws {InvalidRowsError} with the issues of each invalid row.
   * @throws {InvalidUploadError} if the rows cannot be parsed.
   */
  async import(
    rows: RowSource,
    how: ImportOptions,
    options: JournalWriteOptions,
  ): Promise<ImportCounts> {
    return this.importer.import(rows, how, options);
  }

  /** How an upload is understood. The errors are those of `import`. */
  async describe(rows: RowSource, how: ImportOptions): Promise<UploadDescription> {
    return this.importer.describe(rows, how);
  }

  /**
   * Writes the marathons that the parameters of a list select, to a file or to a stream.
   * @throws {ProblemError} `invalid_parameter` or `unknown_parameter`
   */
  async export(
    parameters: QueryParameters,
    format: FormatName,
    target: string | Writable,
  ): Promise<void> {
    const { query } = EXPORT_PARAMETERS.parse(parameters);
    const { table } = RESOURCE;
    const match =
      query.search === undefined ? undefined : await this.search.find(query.search, table);
    const statement = {
      query,
      source: { relation: table, match },
      format: MARATHONS.formats[format],
    };
    await exportList(this.dataSource, this.settings.deadlineMs, statement, target);
  }
}

/** Rows, and how they are imported. */
export interface RequestedImport {
  rows: RowSource;
  how: ImportOptions;
}

/**
 * The rows of a body that are imported: uploaded rows, and a single object with a conflict resolution.
 * Undefined for an object that is created. `members` are those of the object as they were sent.
 * @throws {ProblemError} `invalid_preference` if there is `on_conflict` without `Prefer: resolution`, or
 * `invalid_parameter` if `columns` cannot be parsed.
 */
export function requestedImport(
  body: CreateMarathonDto | UploadedRows,
  members: unknown,
  query: UpsertQuery,
  { resolution }: WriteOptions,
): RequestedImport | undefined {
  const conflict = conflictOf(query, resolution);
  const rows = body instanceof UploadedRows ? body : conflict && oneRow(members);
  if (!rows) return undefined;
  const columns =
    query.columns === undefined ? undefined : parseColumns(query.columns, UPLOAD_COLUMNS);
  return { rows, how: { conflict, columns, nullText: query.null } };
}

/** Without `on_conflict`, the id identifies a marathon, as in PostgREST. */
function conflictOf(
  { on_conflict }: UpsertQuery,
  resolution: WriteOptions['resolution'],
): Conflict | undefined {
  if (resolution) return { key: (on_conflict ?? 'id').split(','), resolution };
  if (on_conflict === undefined) return undefined;
  throw new ProblemError(
    'invalid_preference',
    'on_conflict needs Prefer: resolution=merge-duplicates or resolution=ignore-duplicates.',
  );
}
