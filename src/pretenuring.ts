import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 allocate all objects in the young generation. By default it allocates those of which most lived long in the
 * old generation. Then a process of ten is a fifth slower for as long as it lives: parts of its requests reach the
 * old generation, where only a major collection frees them (`docs/performance.md`). Call it when everything is loaded:
 * V8 rejects cached code that was made with other flags.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
