import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The ids of the running children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(pid)]);
  return stdout.trim().split('\n').map(Number);
}
