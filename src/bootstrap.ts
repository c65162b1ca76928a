import 'reflect-metadata';
import { loadSettings } from './config/settings.js';
import { explainStartupError } from './operations/startup-errors.js';
import { runService } from './service.js';
import { superviseWorkers } from './supervise.js';
import { isWorker, leavePrimary } from './workers/this-worker.js';

async function main(): Promise<void> {
  const settings = loadSettings();
  if (settings.workers > 1 && !isWorker) await superviseWorkers(settings);
  else await runService(settings);
}

function fail(error: unknown): void {
  console.error(explainStartupError(error));
  process.exitCode = 1;
}

await main().catch(fail);
leavePrimary();
