import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { keepCompiledCode } from './compile-cache.js';
import { parseExportArguments, type ExportFlags } from './cli/export-arguments.js';
import type { ImportFlags } from './cli/import-arguments.js';
import type { KeyFlags } from './cli/key-arguments.js';
import { USAGE, UsageError } from './cli/usage.js';
import { suggest } from './query/suggest.js';

const OPTIONS = {
  format: { type: 'string' },
  columns: { type: 'string' },
  encoding: { type: 'string' },
  null: { type: 'string' },
  duplicates: { type: 'string' },
  'on-conflict': { type: 'string' },
  'dry-run': { type: 'boolean' },
  safe: { type: 'boolean' },
  role: { type: 'string' },
  name: { type: 'string' },
  expires: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Options = ImportFlags & ExportFlags & KeyFlags;
type OptionName = keyof typeof OPTIONS;

interface Command {
  /** The names of the options that it takes. */
  takes: OptionName[];
  run: (words: string[], options: Options) => Promise<void>;
}

/** Loading the application takes most of a second. Help and mistyped commands do not need it. */
const loadCommands = async () => {
  keepCompiledCode();
  return import('./cli/commands.js');
};

const COMMANDS: Record<string, Command> = {
  import: {
    takes: ['format', 'columns', 'encoding', 'null', 'duplicates', 'on-conflict', 'dry-run'],
    run: async (words, options) => {
      const { parseImportArguments } = await import('./cli/import-arguments.js');
      const args = parseImportArguments(words, options);
      await (await loadCommands()).importMarathons(args);
    },
  },
  export: {
    takes: ['format', 'safe'],
    run: async (words, options) => {
      const args = parseExportArguments(words, options);
      await (await loadCommands()).exportMarathons(args);
    },
  },
  schema: {
    takes: [],
    run: async ([mode, ...others]) => {
      rejectExcess('schema', others);
      if (mode !== 'sync' && mode !== 'check') {
        throw new UsageError('Use schema sync or schema check.');
      }
      await (await loadCommands()).updateSchema(mode);
    },
  },
  key: {
    takes: ['role', 'name', 'expires'],
    run: async (words, options) => {
      const { parseKeyArguments } = await import('./cli/key-arguments.js');
      const args = parseKeyArguments(words, options);
      await (await loadCommands()).manageKeys(args);
    },
  },
  shell: {
    takes: [],
    run: async (words) => {
      rejectExcess('shell', words);
      await (await loadCommands()).startShell();
    },
  },
  help: { takes: [], run: async () => console.log(USAGE) },
};

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const { help, version, ...options } = values;
  const [name, ...words] = positionals;
  if (version) return printVersion();
  if (help || name === undefined) return console.log(USAGE);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) {
    const unused = Object.keys(options).filter(
      (each) => !command.takes.includes(each as OptionName),
    );
    rejectExcess(
      name,
      unused.map((each) => `--${each}`),
    );
    return command.run(words, options);
  }
  throw new UsageError(`There is no command "${name}": ${suggest(name, Object.keys(COMMANDS))}`);
}

/** An argument that is not used is a mistake. */
function rejectExcess(command: string, excess: string[]): void {
  if (excess.length) throw new UsageError(`${command} does not take ${excess.join(', ')}.`);
}

async function printVersion(): Promise<void> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  console.log((JSON.parse(text) as { version: string }).version);
}

/** Mistakes in the arguments; the commands report their own failures. */
function fail(error: unknown): void {
  process.exitCode = 1;
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${(error as Error).message}\n\n${USAGE}` : error);
}

/** `console` ignores it. A reader that has enough closes the pipe, which is no failure of the output. */
function reportLostOutput(error: NodeJS.ErrnoException): void {
  process.exitCode = 1;
  if (error.code !== 'EPIPE') console.error(`The output cannot be written: ${error.message}`);
}

process.stdout.once('error', reportLostOutput);
await main().catch(fail);
