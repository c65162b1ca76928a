import type { Type } from '@nestjs/common';
import { CreateDto } from '../http/resource-dtos.js';
import { memberNamesOf, type DtoClass } from '../http/dto-metadata.js';
import { toDto, type ValidationIssue } from '../http/validation.js';
import { resourceOf } from '../resource/resource.js';
import { ID_COLUMN, toImportColumn, type ImportColumn } from './import-columns.js';

/** How the rows of a resource are imported. */
export class ImportRules {
  readonly table: string;
  readonly columns: ImportColumn[];
  /** The columns that an upload may have: those, and the id. */
  readonly uploadColumns: ImportColumn[];
  readonly naturalKey: string[];
  /** The member of a JSON answer that holds a list, which can be sent back. */
  readonly listMember: string;
  private readonly dtoClass: DtoClass;

  constructor(entity: Type) {
    const { table, columns, naturalKey, listMember } = resourceOf(entity);
    this.table = table;
    this.columns = columns.map(toImportColumn);
    this.uploadColumns = [...this.columns, ID_COLUMN];
    this.naturalKey = naturalKey;
    this.listMember = listMember;
    this.dtoClass = CreateDto(entity);
  }

  /** What is wrong with a row that is known to be invalid, in the words of a single creation. */
  explain(members: Record<string, unknown>): ValidationIssue[] {
    return toDto(this.dtoClass, members).issues;
  }

  /** Advice for a row that is no object. */
  get memberNames(): string[] {
    return memberNamesOf(this.dtoClass);
  }
}
