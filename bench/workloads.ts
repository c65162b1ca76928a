import type { Request } from './load.js';

/** Requests that are repeated. */
export interface Workload {
  name: string;
  requests: Request[];
  /** A statement that another client repeats meanwhile. */
  meanwhile?: string;
}

const MARATHON = JSON.stringify({ name: 'Boston Marathon', city: 'Boston', inception_year: 1897 });

export const LIST: Workload = { name: 'list of 100', requests: [{ path: '/marathon/' }] };
/** No two lists see the same state, so that none is answered from a cache. */
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

/** They come first, while there are a hundred rows. */
export const READS = [LIST, LIST_MEANWHILE, ITEM];
export const WRITES = [MIXED, CREATE];
export const WORKLOADS = [...READS, ...WRITES];
