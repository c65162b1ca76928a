import { writeFile } from 'node:fs/promises';
import { measureAttacks } from './attack-section.js';
import { measureClients } from './clients-section.js';
import { drawRatios } from './chart.js';
import { measureCosts } from './cost-section.js';
import { measureGrowth } from './growth-section.js';
import { currentVersion, keepRun, readRuns } from './history.js';
import { measureLoneClient } from './lone-section.js';
import { measureMillion } from './million-section.js';
import { measureOperation } from './operation-section.js';
import { readOptions } from './options.js';
import { measurePage } from './page-section.js';
import { GUIDE, PEERS } from './peers.js';
import { measurePeers, measureWithKeys } from './peers-section.js';
import { startPostgres } from './postgres.js';
import { describeMachine, writeReport } from './report.js';
import { measureScale } from './scale-section.js';
import { measureSlowClients } from './slow-clients-section.js';
import { measureInstallations, measureStarts } from './start-section.js';
import { measureVersions } from './versions-section.js';

const RESULTS = new URL('../../bench/RESULTS.md', import.meta.url);
const CHART = new URL('../../docs/ratios.svg', import.meta.url);
const SECTIONS = {
  peers: measurePeers,
  keys: measureWithKeys,
  operation: measureOperation,
  attacks: measureAttacks,
  lone: measureLoneClient,
  clients: measureClients,
  growth: measureGrowth,
  versions: measureVersions,
  million: measureMillion,
  page: measurePage,
  scale: measureScale,
  cost: measureCosts,
  'slow-clients': measureSlowClients,
  start: measureStarts,
  install: measureInstallations,
};

/** Compares this service with its peers. Keeps the results in bench/history/, and writes the report and the chart. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const unknown = options.only.filter((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown.length) throw new Error(`--only takes ${Object.keys(SECTIONS).join(', ')}.`);
  const startedAt = Date.now();
  const say = (text: string) =>
    console.log(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  const server = await startPostgres();
  try {
    const run = {
      startedAt: new Date(startedAt).toISOString(),
      version: currentVersion(),
      machine: describeMachine(server.version),
      notes: findNotes(),
    };
    for (const [name, measure] of Object.entries(SECTIONS)) {
      if (options.only.length && !options.only.includes(name)) continue;
      const sections = await measure(server, options, say);
      // each section is kept at once, so that a run that fails later loses nothing
      if (sections.length) await keepRun({ ...run, sections: { [name]: sections } });
    }
    const runs = await readRuns();
    const report = writeReport(runs, Object.keys(SECTIONS));
    console.log(`\n${report}`);
    await writeFile(RESULTS, report);
    await writeFile(CHART, drawRatios(runs));
  } finally {
    await server.stop();
  }
}

function findNotes(): string[] {
  const isThere = PEERS.find(({ name }) => name === GUIDE)!.isInstalled();
  return isThere ? [] : ["Flask is not installed on this machine, so the guide's app is left out."];
}

await main();
