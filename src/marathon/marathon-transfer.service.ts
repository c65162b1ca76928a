import type { Writable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { oneRow, UploadedRows, type RowSource } from '../http/upload.js';
import type { WriteOptions } from '../http/write-options.js';
import type { ImportCounts, Importer } from '../imports/importer.js';
import { InjectImporter } from '../imports/imports.module.js';
import type { Resolution } from '../imports/merge.js';
import type { WriteOptions as JournalWriteOptions } from '../journal/write-options.js';
import { exportCsv } from '../lists/csv-export.js';
import { ProblemError } from '../problems/problems.js';
import type { CreateMarathonDto, UpsertQuery } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';
import { RESOURCE } from './marathon.lists.js';

/** Imports and exports many marathons. */
@Injectable()
export class MarathonTransferService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectImporter(Marathon) private readonly importer: Importer<Marathon>,
  ) {}

  /**
   * Stores all rows, or none. With `resolution`, existing marathons are updated or skipped.
   * @throws {InvalidRowsError} with the issues of each invalid row.
   * @throws {InvalidUploadError} if the rows cannot be parsed.
   */
  async import(
    rows: RowSource,
    resolution: Resolution | undefined,
    options: JournalWriteOptions,
  ): Promise<ImportCounts> {
    return this.importer.import(rows, resolution, options);
  }

  /** Writes all marathons as CSV, to a file or to a stream. */
  async export(target: string | Writable): Promise<void> {
    await exportCsv(this.dataSource, RESOURCE, target);
  }
}

/**
 * The rows of a body that are imported: uploaded rows, and a single object with a conflict resolution.
 * Undefined for an object that is created.
 * @throws {ProblemError} `invalid_parameter` or `invalid_preference` if one of `on_conflict` and
 * `Prefer: resolution` is without the other.
 */
export function rowsToImport(
  body: CreateMarathonDto | UploadedRows,
  members: unknown,
  { on_conflict }: UpsertQuery,
  { resolution }: WriteOptions,
): RowSource | undefined {
  if (on_conflict && !resolution) {
    throw new ProblemError(
      'invalid_preference',
      'on_conflict needs Prefer: resolution=merge-duplicates or resolution=ignore-duplicates.',
    );
  }
  if (resolution && !on_conflict) {
    throw new ProblemError(
      'invalid_parameter',
      `Prefer: resolution=${resolution} needs the columns of the key: ?on_conflict=${RESOURCE.naturalKey.join(',')}.`,
    );
  }
  if (body instanceof UploadedRows) return body;
  return resolution ? oneRow(members) : undefined;
}
