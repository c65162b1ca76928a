import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The ids of the running children of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const stdout = await findChildren(pid);
  return stdout.split('\n').filter(Boolean).map(Number);
}

/**
 * Lets a process open no more files while `work` goes on, so that it cannot start others. The soft limit is changed: a
 * process without privileges may restore it. https://man7.org/linux/man-pages/man1/prlimit.1.html
 */
export async function withoutFiles(pid: number, work: () => Promise<void>): Promise<void> {
  const before = await prlimit(pid, '--nofile', '--output=SOFT', '--noheadings', '--raw');
  await prlimit(pid, '--nofile=1:');
  try {
    await work();
  } finally {
    await prlimit(pid, `--nofile=${before.trim()}:`);
  }
}

async function prlimit(pid: number, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('prlimit', [`--pid=${pid}`, ...options]);
  return stdout;
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
