import 'reflect-metadata';
import { once } from 'node:events';
import { start as startRepl } from 'node:repl';
import { parseArgs } from 'node:util';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { openDataSource } from './database/open-data-source.js';
import { DatabaseOpening } from './database/opening.js';
import { SCHEMA_MODES } from './environment.js';
import { explainStartFailure } from './start-failure.js';
import { didYouMean } from './did-you-mean.js';
import { importFile, Misused, readImportOrder, tellRejected } from './import-command.js';
import { makeLogger } from './logger.js';
import { MarathonFiles } from './marathon/marathon.files.js';
import { MarathonService } from './marathon/marathon.service.js';
import { RowsRejected } from './transfer/rejections.js';

const USAGE = `npm run marathon -- COMMAND

  import FILE         add the marathons of a file: CSV whose first line is name,city,inception_year,
                      JSON or NDJSON
      --dry-run                   say what would happen, and store nothing
      --duplicates merge|ignore   change, or leave, those whose name and city are there already
  export [FILE]       write all marathons as CSV, to FILE or to the terminal
  schema sync         bring the database's schema up to date
  schema check        say whether the database's schema is up to date
  shell               a JavaScript prompt with the services at hand`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  'dry-run': { type: 'boolean' },
  duplicates: { type: 'string' },
} as const;

type Options = { 'dry-run'?: boolean; duplicates?: string };

const COMMANDS: Record<string, (word: string | undefined, options: Options) => Promise<void>> = {
  import: importNamed,
  export: exportFile,
  schema: prepareSchema,
  shell,
};

async function main(): Promise<void> {
  Logger.overrideLogger(makeLogger('warn'));
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const [name, word] = positionals;
  if (values.help || name === undefined) return console.log(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command(word, values);
  throw new Misused(`There is no command "${name}": ${didYouMean(name, Object.keys(COMMANDS))}`);
}

async function importNamed(path: string | undefined, options: Options): Promise<void> {
  const order = readImportOrder(path, options['dry-run'] ?? false, options.duplicates);
  await withApplication(async (app) => importFile(app.get(MarathonFiles), order));
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
    await app.get(DatabaseOpening).wait();
    await work(app);
  } finally {
    await app.close();
  }
}

function fail(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof RowsRejected) tellRejected(error);
  console.error(explainStartFailure(error));
  if (error instanceof Misused) console.error(`\n${USAGE}`);
}

await main().catch(fail);
