import module from 'node:module';
import { fileURLToPath } from 'node:url';

/** Node 22.1 and later: https://nodejs.org/api/module.html#moduleenablecompilecachecachedir */
interface CompileCacheOfNode {
  enableCompileCache?: (folder: string) => void;
}

/** Beside the compiled files, and not among temporary files, where other users could write it. */
const FOLDER = fileURLToPath(new URL('../.compile-cache', import.meta.url));

/**
 * Keeps what V8 compiles from now on for the next start, which is a fifth faster. Does nothing if this version of Node
 * cannot, or if the folder cannot be written. `NODE_COMPILE_CACHE` names another folder.
 */
export function keepCompiledCode(): void {
  const { enableCompileCache } = module as CompileCacheOfNode;
  enableCompileCache?.(FOLDER);
}
