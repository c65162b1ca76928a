import { keepCompiledCode } from './compile-cache.js';

keepCompiledCode();
// everything else is loaded afterwards, from the cache
await import('./bootstrap.js');
