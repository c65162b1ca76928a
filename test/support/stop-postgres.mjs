import { stopAll } from './stop-all.mjs';

export default async function stopPostgres() {
  await stopAll(globalThis.testPostgres);
}
