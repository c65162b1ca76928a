import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';
import { writeLand } from './land.ts';

const SERVICE = 'http://127.0.0.1:3000';
const FOLDER = join(import.meta.dirname, '../dist/page');

/** The service sends these files as they are. */
const compressFiles = {
  name: 'compress-files',
  closeBundle() {
    for (const name of readdirSync(FOLDER, { recursive: true })) {
      if (!/\.(html|js|css|svg|csv|txt)$/.test(name)) continue;
      const path = join(FOLDER, name);
      const bytes = readFileSync(path);
      const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
      writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
      writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    }
  },
};

writeLand();

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: FOLDER,
    emptyOutDir: true,
    // data: addresses are not allowed by the Content-Security-Policy
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'assets/licenses.txt' },
    target: 'es2022',
  },
  plugins: [compressFiles],
  server: {
    proxy: Object.fromEntries(
      ['/marathon', '/openapi.json', '/docs', '/health', '/keys'].map((path) => [path, SERVICE]),
    ),
  },
});
