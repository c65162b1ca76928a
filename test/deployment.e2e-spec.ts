import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { findFreePorts } from './support/free-ports.js';
import { isInstalled } from './support/programs.js';

const ROOT = join(import.meta.dirname, '..');
const POSTGRES = '/usr/lib/postgresql/15/bin';
/** Debian's packages; `.ci/run` installs them. Users need not have them, so without them these tests are skipped. */
const NEEDED = ['nginx', 'prometheus', 'promtool', 'openssl', 'curl', `${POSTGRES}/initdb`];
const run = promisify(execFile);

/** Runs a command as a user that PostgreSQL accepts: it refuses to run as root. */
async function postgres(command: string): Promise<void> {
  const isRoot = userInfo().uid === 0;
  await (isRoot
    ? run('su', ['postgres', '-c', command], { cwd: '/' })
    : run('bash', ['-c', command]));
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The commands of the section, in their order. */
function commandsOf(title: string): string {
  const page = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
  const section = page.split(/^## /m).find((each) => each.startsWith(`${title}\n`))!;
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block).join('\n');
}

// Debian's packages, which `.ci/run` installs; users need none of them
(NEEDED.every(isInstalled) ? describe : describe.skip)('docs/deployment.md', () => {
  let folder: string;
  let databaseUrl: (name: string) => string;

  beforeAll(async () => {
    folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER ?? tmpdir(), 'deployment-'));
    const cluster = join(folder, 'postgres');
    await run('mkdir', [cluster]);
    await chmod(folder, 0o755);
    if (userInfo().uid === 0) {
      const { stdout } = await run('id', ['-u', 'postgres']);
      await chown(cluster, Number(stdout), 0);
    }
    await postgres(`${POSTGRES}/initdb --auth=trust --username=postgres -D ${cluster}/data`);
    const options = `-k ${cluster} -c listen_addresses=`;
    await postgres(
      `${POSTGRES}/pg_ctl -D ${cluster}/data -o "${options}" -l ${cluster}/log --wait start`,
    );
    databaseUrl = (name) => `postgresql://postgres@/${name}?host=${encodeURIComponent(cluster)}`;
    await run('psql', [databaseUrl('postgres'), '-c', 'CREATE DATABASE restored']);
  });
  afterAll(async () => {
    await postgres(`${POSTGRES}/pg_ctl -D ${folder}/postgres/data --mode=immediate --wait stop`);
    await rm(folder, { recursive: true, force: true });
  });

  it('leads from a clone to a keyed service behind nginx with TLS, metrics and a backup', async () => {
    const [service, tls, prometheus] = (await findFreePorts(3)) as [number, number, number];
    const withFreePorts = (text: string) =>
      text
        .replaceAll('127.0.0.1:3000', `127.0.0.1:${service}`)
        .replaceAll('8443', String(tls))
        .replaceAll('9090', String(prometheus))
        .replaceAll('scrape_interval: 15s', 'scrape_interval: 1s');
    // the clone has the files with the free ports
    const adjust = `for file in deploy/nginx-site.conf deploy/prometheus.yml; do sed -i -e 's/127.0.0.1:3000/127.0.0.1:${service}/; s/8443/${tls}/; s/interval: 15s/interval: 1s/' "$file"; done`;
    const commands = withFreePorts(commandsOf('From a clone to a service on the internet'))
      .replace('cd marathon-registry\n', `cd marathon-registry\n${adjust}\n`)
      .replace('ACCESS=keys\n', `ACCESS=keys\nPORT=${service}\n`);
    const script = `set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n${commands}\nprintf '\\nrestored: '\ncat restored.csv\n`;
    await writeFile(join(folder, 'commands.sh'), script);
    const child = spawn('bash', ['commands.sh'], {
      cwd: folder,
      env: {
        ...process.env,
        REPOSITORY: ROOT,
        DATABASE_URL: databaseUrl('postgres'),
        RESTORED_URL: databaseUrl('restored'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => (output += text.toString()));
    }
    const [code] = (await once(child, 'exit')) as [number];
    expect(code === 0 ? '' : output).toBe('');
    expect(output).toContain('{"status":"ready"}');
    expect(output).toContain('{"id":1}');
    expect(output).toContain(
      'restored: id,name,city,inception_year\n1,Boston Marathon,Boston,1897',
    );
    const key = (await readFile(join(folder, 'marathon-registry/admin.key'), 'utf8')).trim();
    expect(key).toMatch(/^mr_\w{49}$/);
    const log = await readFile(join(folder, 'marathon-registry/service.log'), 'utf8');
    expect(log).toContain('"key":"Prometheus"');
    expect(log).not.toContain(key);
    // it installs and builds a clone, beside other tests
  }, 600_000);
});

describe('the files for deployment', () => {
  it.each([
    'compose.yaml',
    'deploy/kubernetes.yaml',
    'deploy/prometheus.yml',
    'deploy/prometheus-rules.yml',
  ])('%s is YAML', (file) => {
    for (const document of parseAllDocuments(read(file))) expect(document.errors).toEqual([]);
  });

  it('name settings that the service has', () => {
    const settings = read('src/config/settings.ts');
    const files = ['compose.yaml', 'deploy/kubernetes.yaml', 'deploy/marathon-registry.service'];
    const named = files.flatMap((file) =>
      [...read(file).matchAll(/\b(?:name: |Environment=|^ {6})([A-Z]{2,}[A-Z_]*)\b/gm)].map(
        ([, name]) => name!,
      ),
    );
    const others = new Set([
      'NODE_COMPILE_CACHE',
      'NODE_ENV',
      'POSTGRES_USER',
      'POSTGRES_DB',
      'POSTGRES_PASSWORD',
    ]);
    const unknown = named.filter((name) => !others.has(name) && !settings.includes(`  ${name}: `));
    expect(named).toContain('DATABASE_URL');
    expect(unknown).toEqual([]);
  });

  it('use metrics that the service has', () => {
    const source = readdirSync(join(ROOT, 'src/operations')).map((file) =>
      read(`src/operations/${file}`),
    );
    const text = read('deploy/prometheus-rules.yml') + read('deploy/grafana-dashboard.json');
    const names = [...text.matchAll(/\b(?:http|database|journal|change)_[a-z_]+/g)].map(([name]) =>
      name.replace(/_(bucket|count|sum)$/, ''),
    );
    expect(new Set(names).size).toBeGreaterThan(8);
    for (const name of names) expect(source.join('')).toContain(`'${name}'`);
  });

  // a part of systemd, which not every machine has
  (isInstalled('systemd-analyze') ? it : it.skip)('harden the unit of systemd', async () => {
    const unit = 'deploy/marathon-registry.service';
    const { stdout } = await run('systemd-analyze', ['security', '--offline=yes', unit], {
      cwd: ROOT,
    });
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2);
  });

  it('build an image that has what the service reads', () => {
    const image = read('Dockerfile');
    for (const file of ['docs/errors.md', 'package.json', './dist']) expect(image).toContain(file);
    expect(image).toContain('USER node');
  });
});
