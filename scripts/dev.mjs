// Starts the service with `nest start --watch`, and Vite with the page beside it. What ends one of them ends both.
import { spawn } from 'node:child_process';

const COMMANDS = [
  ['nest', 'start', '--watch'],
  ['vite', 'page', '--clearScreen', 'false'],
];
const IS_WINDOWS = process.platform === 'win32';

// each in a process group of its own: nest would leave the service behind that it started
const children = COMMANDS.map(([command, ...words]) =>
  spawn(command, words, {
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: IS_WINDOWS,
    detached: !IS_WINDOWS,
  }),
);

function stop({ pid }) {
  if (IS_WINDOWS) spawn('taskkill', ['/pid', String(pid), '/t', '/f']);
  else process.kill(-pid, 'SIGTERM');
}

function stopAll() {
  for (const child of children) {
    try {
      stop(child);
    } catch (error) {
      // the group is gone already
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

for (const child of children) child.once('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stopAll);
