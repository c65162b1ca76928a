import sampleAddress from '../../data/marathons.csv?url';
import { addOne } from './form-dialog.tsx';
import { askForFile } from './file-input.tsx';
import { formatCount } from './format.ts';
import { attempt } from './notices.ts';
import { texts } from './texts.ts';
import { CHANGES, rememberMany, write } from './writes.ts';

/** What an empty registry offers. */
export function FirstVisit() {
  return (
    <div class="empty" role="row">
      <div role="gridcell">
        <h2>{texts.empty}</h2>
        <p>{texts.emptyHint}</p>
        <p class="choices">
          <button type="button" class="primary" onClick={() => void attempt(importSample)}>
            {texts.useSample}
          </button>
          <button type="button" onClick={askForFile}>
            {texts.importFile}
          </button>
          <button type="button" onClick={addOne}>
            {texts.addFirst}
          </button>
        </p>
      </div>
    </div>
  );
}

async function importSample(): Promise<void> {
  const sample = await fetch(sampleAddress);
  const { body, headers } = await write<{ inserted: number }>('/marathon/', {
    method: 'POST',
    body: await sample.text(),
    headers: { 'Content-Type': 'text/csv' },
  });
  rememberMany(texts.imported(formatCount(body.inserted)), headers.get(CHANGES), body.inserted);
}
