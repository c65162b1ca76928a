import { spawnSync } from 'node:child_process';

/** Whether this machine has a program. Users need none of those that some tests run. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}
