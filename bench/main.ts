import { writeFile } from 'node:fs/promises';
import { measureAttacks } from './attack-section.js';
import { measureCosts } from './cost-section.js';
import { measureGrowth } from './growth-section.js';
import { measureLoneClient } from './lone-section.js';
import { measureMillion } from './million-section.js';
import { measureOperation } from './operation-section.js';
import { readOptions } from './options.js';
import { measurePage } from './page-section.js';
import { GUIDE, PEERS } from './peers.js';
import { measurePeers } from './peers-section.js';
import { startPostgres } from './postgres.js';
import { describeMachine, writeReport } from './report.js';
import { measureScale } from './scale-section.js';
import { measureSlowClients } from './slow-clients-section.js';
import { measureStarts } from './start-section.js';

const RESULTS = new URL('../../bench/RESULTS.md', import.meta.url);
const SECTIONS = {
  peers: measurePeers,
  operation: measureOperation,
  attacks: measureAttacks,
  lone: measureLoneClient,
  growth: measureGrowth,
  million: measureMillion,
  page: measurePage,
  scale: measureScale,
  cost: measureCosts,
  'slow-clients': measureSlowClients,
  start: measureStarts,
};

/** Compares this service with its peers, and writes the results to bench/RESULTS.md. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const unknown = options.only.filter((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown.length) throw new Error(`--only takes ${Object.keys(SECTIONS).join(', ')}.`);
  const startedAt = Date.now();
  const say = (text: string) =>
    console.log(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  const server = await startPostgres();
  try {
    const sections = [];
    for (const [name, measure] of Object.entries(SECTIONS)) {
      if (options.only.length && !options.only.includes(name)) continue;
      sections.push(...(await measure(server, options, say)));
    }
    const report = writeReport(describeMachine(server.version), findNotes(), sections);
    console.log(`\n${report}`);
    // the results of some sections must not replace those of all
    if (!options.only.length) await writeFile(RESULTS, report);
  } finally {
    await server.stop();
  }
}

function findNotes(): string[] {
  const isThere = PEERS.find(({ name }) => name === GUIDE)!.isInstalled();
  return isThere ? [] : ["Flask is not installed on this machine, so the guide's app is left out."];
}

await main();
