import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parseExportArguments, type ExportFlags } from './cli/export-arguments.js';
import type { ImportFlags } from './cli/import-arguments.js';
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
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Command = (words: string[], options: ImportFlags & ExportFlags) => Promise<void>;

/** Loading the application takes most of a second. Help and mistyped commands do not need it. */
const loadCommands = async () => import('./cli/commands.js');

const COMMANDS: Record<string, Command> = {
  import: async (words, { safe, ...options }) => {
    rejectExcess('import', [], safe ? { safe } : {});
    const { parseImportArguments } = await import('./cli/import-arguments.js');
    const args = parseImportArguments(words, options);
    await (await loadCommands()).importMarathons(args);
  },
  export: async (words, { format, safe, ...others }) => {
    rejectExcess('export', [], others);
    const args = parseExportArguments(words, { format, safe });
    await (await loadCommands()).exportMarathons(args);
  },
  schema: async ([mode, ...others], options) => {
    rejectExcess('schema', others, options);
    if (mode !== 'sync' && mode !== 'check') {
      throw new UsageError('Use schema sync or schema check.');
    }
    await (await loadCommands()).updateSchema(mode);
  },
  shell: async (words, options) => {
    rejectExcess('shell', words, options);
    await (await loadCommands()).startShell();
  },
  help: async () => console.log(USAGE),
};

async function main(): Promise<void> {
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

/** Mistakes in the arguments; the commands report their own failures. */
function fail(error: unknown): void {
  process.exitCode = 1;
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${(error as Error).message}\n\n${USAGE}` : error);
}

await main().catch(fail);
