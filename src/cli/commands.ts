import 'reflect-metadata';
import { once } from 'node:events';
import { start as startRepl } from 'node:repl';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { ApiKeysService } from '../access/api-keys.service.js';
import { AppModule } from '../app.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { InvalidRowsError } from '../imports/row-errors.js';
import { MarathonTransferService } from '../marathon/marathon-transfer.service.js';
import { MarathonService } from '../marathon/marathon.service.js';
import { makeCommandLogger, NestLogger } from '../operations/logger.js';
import { explainStartupError } from '../operations/startup-errors.js';
import type { ExportArguments } from './export-arguments.js';
import type { ImportArguments } from './import-arguments.js';
import { importFiles, printRejected } from './import-command.js';
import type { KeyArguments } from './key-arguments.js';
import { runKeyCommand } from './key-command.js';

export async function importMarathons(args: ImportArguments): Promise<void> {
  await withApplication(async (app) => importFiles(app.get(MarathonTransferService), args));
}

export async function exportMarathons(args: ExportArguments): Promise<void> {
  const { path, format, parameters } = args;
  await withApplication(async (app) =>
    app.get(MarathonTransferService).export(parameters, format, path ?? process.stdout),
  );
}

/** The schema is updated or checked when the application starts. */
export async function updateSchema(mode: 'sync' | 'check'): Promise<void> {
  process.env.DB_SCHEMA = mode;
  await withApplication(async () => console.log('The schema is up to date.'));
}

export async function manageKeys(args: KeyArguments): Promise<void> {
  await withApplication(async (app) => runKeyCommand(app.get(ApiKeysService), args));
}

export async function startShell(): Promise<void> {
  await withApplication(async (app) => {
    console.log('Available: marathons, dataSource, app. Try: await marathons.findAll()');
    const repl = startRepl({ prompt: 'marathon> ' });
    const services = { marathons: app.get(MarathonService), dataSource: app.get(DataSource) };
    Object.assign(repl.context, services, { app });
    await once(repl, 'exit');
  });
}

async function withApplication(work: (app: INestApplicationContext) => Promise<void>) {
  const logger = new NestLogger(makeCommandLogger('warn'));
  Logger.overrideLogger(logger);
  try {
    const app = await NestFactory.createApplicationContext(AppModule, {
      logger,
      abortOnError: false,
    });
    try {
      await app.get(DatabaseStartup).wait();
      await work(app);
    } finally {
      await app.close();
    }
  } catch (error) {
    process.exitCode = 1;
    if (error instanceof InvalidRowsError) printRejected(error);
    console.error(explainStartupError(error));
  }
}
