import 'reflect-metadata';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { start as startRepl } from 'node:repl';
import { parseArgs } from 'node:util';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SingleBar } from 'cli-progress';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { openDataSource } from './database/open-data-source.js';
import { SCHEMA_MODES } from './environment.js';
import { explainStartFailure } from './start-failure.js';
import { didYouMean } from './did-you-mean.js';
import { makeLogger } from './logger.js';
import { ImportRejected, MarathonFiles } from './marathon/marathon.files.js';
import { MarathonService } from './marathon/marathon.service.js';

const USAGE = `npm run marathon -- COMMAND

  import FILE         add the marathons of a CSV file whose first line is name,city,inception_year
  export [FILE]       write all marathons as CSV, to FILE or to the terminal
  schema sync         bring the database's schema up to date
  schema check        say whether the database's schema is up to date
  shell               a JavaScript prompt with the services at hand`;

const COMMANDS: Record<string, (...words: string[]) => Promise<void>> = {
  import: importFile,
  export: exportFile,
  schema: prepareSchema,
  shell,
};

/** The command was not one of ours. */
class Misused extends Error {}

async function main(): Promise<void> {
  Logger.overrideLogger(makeLogger('warn'));
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const [name, ...words] = positionals;
  if (values.help || name === undefined) return console.log(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command(...words);
  throw new Misused(`There is no command "${name}": ${didYouMean(name, Object.keys(COMMANDS))}`);
}

async function importFile(path?: string): Promise<void> {
  if (!path) throw new Misused('Name the file to import.');
  const { size } = await stat(path);
  const bar = new SingleBar({
    format: '{bar} {percentage}% | {eta_formatted} left',
    noTTYOutput: false,
  });
  await withApplication(async (app) => {
    if (process.stderr.isTTY) bar.start(size, 0);
    try {
      const count = await app.get(MarathonFiles).import(path, (bytes) => bar.update(bytes));
      bar.stop();
      console.log(`${count} marathons imported.`);
    } finally {
      bar.stop();
    }
  });
}

async function exportFile(path?: string): Promise<void> {
  await withApplication(async (app) => app.get(MarathonFiles).export(path ?? process.stdout));
}

async function prepareSchema(mode?: string): Promise<void> {
  const known = SCHEMA_MODES.find((candidate) => candidate === mode);
  if (known !== 'sync' && known !== 'check') throw new Misused('Say schema sync or schema check.');
  const dataSource = await openDataSource(known);
  await dataSource.destroy();
  console.log('The schema is up to date.');
}

async function shell(): Promise<void> {
  await withApplication(async (app) => {
    console.log('At hand: marathons, dataSource, app. Try: await marathons.findAll()');
    const repl = startRepl({ prompt: 'marathon> ' });
    const services = { marathons: app.get(MarathonService), dataSource: app.get(DataSource) };
    Object.assign(repl.context, services, { app });
    await once(repl, 'exit');
  });
}

async function withApplication(work: (app: INestApplicationContext) => Promise<void>) {
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: makeLogger('warn'),
    abortOnError: false,
  });
  try {
    await work(app);
  } finally {
    await app.close();
  }
}

function fail(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof ImportRejected) {
    for (const { line, faults } of error.rows) {
      const reasons = faults.map(({ pointer, detail }) => `${pointer.slice(2)} ${detail}`);
      console.error(`line ${line}: ${reasons.join('; ')}`);
    }
  }
  console.error(explainStartFailure(error));
  if (error instanceof Misused) console.error(`\n${USAGE}`);
}

await main().catch(fail);
