// Starts the service with `nest start --watch`, and Vite with the page beside it. What ends one of them ends both.
import { spawn } from 'node:child_process';

const COMMANDS = [
  ['nest', 'start', '--watch'],
  ['vite', 'page', '--clearScreen', 'false'],
];

const children = COMMANDS.map(([command, ...words]) =>
  spawn(command, words, { stdio: 'inherit', shell: process.platform === 'win32' }),
);

function stopAll() {
  for (const child of children) child.kill('SIGTERM');
}

for (const child of children) child.once('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopAll);
