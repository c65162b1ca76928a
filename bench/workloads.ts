import type { Request } from './load.js';

/** What is asked, again and again. */
export interface Workload {
  name: string;
  requests: Request[];
}

const MARATHON = JSON.stringify({ name: 'Boston Marathon', city: 'Boston', inception_year: 1897 });

export const LIST: Workload = { name: 'list of 100', requests: [{ path: '/marathon/' }] };
export const ITEM: Workload = { name: 'item by id', requests: [{ path: '/marathon/50' }] };
export const MIXED: Workload = {
  name: 'half reads, half writes',
  requests: [{ path: '/marathon/50' }, { path: '/marathon/', body: MARATHON }],
};
export const CREATE: Workload = {
  name: 'create, journal included',
  requests: [{ path: '/marathon/', body: MARATHON }],
};

/** The list first, while there are a hundred. */
export const WORKLOADS = [LIST, ITEM, MIXED, CREATE];
