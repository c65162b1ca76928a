import 'reflect-metadata';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { start as startRepl } from 'node:repl';
import { parseArgs } from 'node:util';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { parseExportArguments, type ExportFlags } from './cli/export-arguments.js';
import { parseImportArguments, type ImportFlags } from './cli/import-arguments.js';
import { importFiles, printRejected } from './cli/import-command.js';
import { USAGE, UsageError } from './cli/usage.js';
import { DatabaseStartup } from './database/database-startup.js';
import { InvalidRowsError } from './imports/row-errors.js';
import { MarathonTransferService } from './marathon/marathon-transfer.service.js';
import { MarathonService } from './marathon/marathon.service.js';
import { makeLogger } from './operations/logger.js';
import { explainStartupError } from './operations/startup-errors.js';
import { suggest } from './query/suggest.js';

const IMPORT_OPTIONS = {
  format: { type: 'string' },
  columns: { type: 'string' },
  encoding: { type: 'string' },
  null: { type: 'string' },
  duplicates: { type: 'string' },
  'on-conflict': { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;
const OPTIONS = {
  ...IMPORT_OPTIONS,
  safe: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Command = (words: string[], options: ImportFlags & ExportFlags) => Promise<void>;

const COMMANDS: Record<string, Command> = {
  import: async (words, { safe, ...options }) => {
    rejectExcess('import', [], { ...(safe && { safe }) });
    await importNamed(words, options);
  },
  export: async (words, { format, safe, ...others }) => {
    rejectExcess('export', [], others);
    await exportNamed(words, { format, safe });
  },
  schema: async ([mode, ...others], options) => {
    rejectExcess('schema', others, options);
    await updateSchema(mode);
  },
  shell: async (words, options) => {
    rejectExcess('shell', words, options);
    await shell();
  },
  help: async () => console.log(USAGE),
};

async function main(): Promise<void> {
  Logger.overrideLogger(makeLogger('warn'));
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const { help, version, ...options } = values;
  const [name, ...words] = positionals;
  if (version) return printVersion();
  if (help || name === undefined) return console.log(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command(words, options);
  throw new UsageError(`There is no command "${name}": ${suggest(name, Object.keys(COMMANDS))}`);
}

/** An argument that is not used is a mistake. */
function rejectExcess(command: string, words: string[], options: object): void {
  const excess = [...words, ...Object.keys(options).map((name) => `--${name}`)];
  if (excess.length) throw new UsageError(`${command} does not take ${excess.join(', ')}.`);
}

async function printVersion(): Promise<void> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  console.log((JSON.parse(text) as { version: string }).version);
}

async function importNamed(paths: string[], options: ImportFlags): Promise<void> {
  const args = parseImportArguments(paths, options);
  await withApplication(async (app) => importFiles(app.get(MarathonTransferService), args));
}

async function exportNamed(words: string[], options: ExportFlags): Promise<void> {
  const { path, format, parameters } = parseExportArguments(words, options);
  await withApplication(async (app) =>
    app.get(MarathonTransferService).export(parameters, format, path ?? process.stdout),
  );
}

/** The schema is updated or checked when the application starts. */
async function updateSchema(mode?: string): Promise<void> {
  if (mode !== 'sync' && mode !== 'check') {
    throw new UsageError('Use schema sync or schema check.');
  }
  process.env.DB_SCHEMA = mode;
  await withApplication(async () => console.log('The schema is up to date.'));
}

async function shell(): Promise<void> {
  await withApplication(async (app) => {
    console.log('Available: marathons, dataSource, app. Try: await marathons.findAll()');
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
    await app.get(DatabaseStartup).wait();
    await work(app);
  } finally {
    await app.close();
  }
}

function fail(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof InvalidRowsError) printRejected(error);
  console.error(explainStartupError(error));
  if (error instanceof UsageError) console.error(`\n${USAGE}`);
}

await main().catch(fail);
