// What can be said before anything is built: run by npm start, as it is, also by a Node that is too old.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const PACKAGE = new URL('../../package.json', import.meta.url);

function findOldNode() {
  const { engines } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const [needed, present] = [engines.node, process.versions.node].map((text) =>
    text.replace('>=', '').split('.').map(Number),
  );
  const place = needed.findIndex((part, index) => part !== present[index]);
  if (place < 0 || present[place] > needed[place]) return undefined;
  return `Node ${needed.join('.')} or later is needed, and this is ${process.versions.node}: see https://nodejs.org.`;
}

/** A port that is no number is refused later, with the other settings. */
async function findTakenPort() {
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
    ? `Port ${PORT} is taken: stop what listens there, or set PORT to another.`
    : undefined;
}

const problem = findOldNode() ?? (await findTakenPort());
if (problem) {
  console.error(problem);
  process.exitCode = 1;
}
