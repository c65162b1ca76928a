import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** Node 22.1 and later: https://nodejs.org/api/module.html#moduleenablecompilecachecachedir */
interface CompileCacheOfNode {
  enableCompileCache?: (folder: string) => { directory?: string };
}

/** Beside the compiled files, and not among temporary files, where other users could write it. */
const FOLDER = fileURLToPath(new URL('../.compile-cache', import.meta.url));

/**
 * Keeps what V8 compiles from now on for the next start, which is a fifth faster. Returns the folder; undefined if
 * this version of Node cannot, or if the folder cannot be written. `NODE_COMPILE_CACHE` names another folder.
 */
export function keepCompiledCode(): string | undefined {
  const { enableCompileCache } = module as CompileCacheOfNode;
  return enableCompileCache?.(FOLDER).directory;
}
