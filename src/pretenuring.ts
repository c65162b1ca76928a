import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 allocate all objects in the young generation. Else V8 may decide in the first seconds that objects of a kind
 * live long, and allocate them in the old generation from then on. If these are parts of requests, each of them keeps
 * the objects of its request, and often of later ones, until the next major collection: a process of ten is a quarter
 * slower for as long as it lives (`docs/performance.md`). Call it when everything is loaded: V8 rejects cached code that
 * was made with other flags.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
