import { workerData } from 'node:worker_threads';
import { ATTACKS } from './attacks.js';

/** Runs one attack in a thread, until the thread is terminated. */
const { name, url } = workerData as { name: string; url: string };
await ATTACKS[name]!(url);
