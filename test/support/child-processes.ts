import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The ids of the running children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const stdout = await findChildren(pid);
  return stdout.split('\n').filter(Boolean).map(Number);
}

async function findChildren(pid: number): Promise<string> {
  const finding = promisify(execFile)('pgrep', ['-P', String(pid)]);
  const found = await finding.catch((error: { code?: number; stdout: string }) => {
    // the exit code 1 says that it has none
    if (error.code === 1) return error;
    throw error;
  });
  return found.stdout;
}
