import { formatsOf } from '../lists/formats.js';
import type { ListedResource } from '../lists/list-request.js';
import type { QueryColumn } from '../query/columns.js';
import { queryableResource } from '../resource/queryable-resource.js';
import { resourceOf } from '../resource/resource.js';
import { Marathon } from './marathon.entity.js';

/** The resource as its entity declares it. */
export const RESOURCE = resourceOf(Marathon);

/** The columns that an upload may have. */
export const UPLOAD_COLUMNS = [...RESOURCE.columns.map(({ name }) => name), 'id'];

/** The list of marathons. */
export const MARATHONS: ListedResource = {
  ...queryableResource(Marathon),
  formats: formatsOf(RESOURCE.listMember),
};

const YEARS: QueryColumn = { name: 'years', type: 'integer' };

const SEQ: QueryColumn = { name: 'seq', type: 'integer', isNeverNull: true };

/** The list of deleted marathons, which has the numbers of the deletions besides. The last one comes first. */
export const DELETED: ListedResource = {
  ...MARATHONS,
  columns: [...MARATHONS.columns, SEQ],
  order: [{ column: SEQ, isDescending: true, isNullsFirst: false }],
};

/** The list of anniversaries, which has the number of years besides. The largest number comes first. */
export const ANNIVERSARIES: ListedResource = {
  ...MARATHONS,
  columns: [...MARATHONS.columns, YEARS],
  order: [{ column: YEARS, isDescending: true, isNullsFirst: false }],
};
