import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 allocate all objects in the young generation. By default it allocates those of which most lived long in the
 * old generation. In a process of ten with Node 20 these were the objects of `process.nextTick`: they kept what belongs
 * to each request until the next major collection, and the process was a fifth slower for as long as it lived
 * (`docs/performance.md`). Call it when everything is loaded: V8 rejects cached code that was made with other flags.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
