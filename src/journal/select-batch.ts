import type { JournalPosition, Write } from './write-request.js';

/** Whether a write is stored by an INSERT. */
export function isCreation({ operation }: Write): boolean {
  return operation === 'create';
}

/** The positions of the writes beside a batch that have an Idempotency-Key. */
export function keyedPositions(writes: Write[], batch: Write[]): JournalPosition[] {
  return writes
    .filter((write) => write.request.options.hasIdempotencyKey && !batch.includes(write))
    .map(({ request }) => request.position);
}

/**
 * The creations, or if there are none, the other writes; of each record and each request the first only,
 * since the next one must see its result.
 */
export function selectBatch(writes: Write[]): Write[] {
  const creations = writes.filter(isCreation);
  const [requestIds, recordIds] = [new Set<string>(), new Set<number>()];
  return (creations.length ? creations : writes).filter(({ request, id }) => {
    if (requestIds.has(request.id) || (id !== undefined && recordIds.has(id))) return false;
    requestIds.add(request.id);
    if (id !== undefined) recordIds.add(id);
    return true;
  });
}
