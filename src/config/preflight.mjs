// Checks that need no build. `npm start` runs this file unbuilt, also with a Node that is too old.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const PACKAGE = new URL('../../package.json', import.meta.url);

function findNodeProblem() {
  const { engines } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const [needed, present] = [engines.node, process.versions.node].map((text) =>
    text.replace('>=', '').split('.').map(Number),
  );
  const index = needed.findIndex((part, i) => part !== present[i]);
  if (index < 0 || present[index] > needed[index]) return undefined;
  return `Node ${needed.join('.')} or later is required, and this is ${process.versions.node}: see https://nodejs.org.`;
}

/** An invalid port is reported later, with the other settings. */
async function findPortProblem() {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { PORT = '3000', HOST = '127.0.0.1' } = process.env;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) return undefined;
  const server = createServer();
  const code = await new Promise((resolve) => {
    server.once('error', (error) => resolve(error.code));
    server.listen(Number(PORT), HOST, () => resolve(undefined));
  });
  server.close();
  return code === 'EADDRINUSE'
    ? `Port ${PORT} is in use. Stop the program that listens there, or set PORT to another one.`
    : undefined;
}

const problem = findNodeProblem() ?? (await findPortProblem());
if (problem) {
  console.error(problem);
  process.exitCode = 1;
}
