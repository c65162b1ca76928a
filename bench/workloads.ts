import type { Request } from './load.js';

/** What is asked, again and again. */
export interface Workload {
  name: string;
  requests: Request[];
  /** Sent to the database by somebody else, all the while. */
  meanwhile?: string;
}

const MARATHON = JSON.stringify({ name: 'Boston Marathon', city: 'Boston', inception_year: 1897 });

export const LIST: Workload = { name: 'list of 100', requests: [{ path: '/marathon/' }] };
/** No two lists in a row see the same state, so that none can be answered as the one before. */
export const LIST_MEANWHILE: Workload = {
  name: 'list of 100, somebody writing',
  requests: LIST.requests,
  meanwhile: 'UPDATE marathon SET inception_year = 1950 WHERE id = 50',
};
export const ITEM: Workload = { name: 'item by id', requests: [{ path: '/marathon/50' }] };
export const MIXED: Workload = {
  name: 'half reads, half writes',
  requests: [{ path: '/marathon/50' }, { path: '/marathon/', body: MARATHON }],
};
export const CREATE: Workload = {
  name: 'create, journal included',
  requests: [{ path: '/marathon/', body: MARATHON }],
};

/** The lists first, while there are a hundred. */
export const WORKLOADS = [LIST, LIST_MEANWHILE, ITEM, MIXED, CREATE];
