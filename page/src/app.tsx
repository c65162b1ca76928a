import { AddDialog } from './add-dialog.tsx';
import { isUnavailable } from './api.ts';
import { ConflictDialog, KeyDialog } from './dialogs.tsx';
import { notice, undo } from './edits.ts';
import { Grid } from './grid.tsx';
import { Details } from './details.tsx';
import { formatCount } from './format.ts';
import { arePicturesOpen } from './layout.ts';
import { refusal, rows } from './list.ts';
import { ImportDialog, useDroppedFiles } from './import-dialog.tsx';
import { Pictures } from './pictures.tsx';
import { Search } from './search.tsx';
import { Toolbar } from './toolbar.tsx';
import { texts } from './texts.ts';
import { select, view } from './view.ts';

export function App() {
  useDroppedFiles();
  const { selectedId } = view.value;
  return (
    <>
      <header class="top">
        <h1>{texts.title}</h1>
        <Total />
        <Search />
        <Toolbar />
        <Connection />
      </header>
      <main class="main">
        <Grid />
        <aside
          class={`panel ${selectedId === undefined && !arePicturesOpen.value ? 'closed' : ''}`}
          aria-label={selectedId === undefined ? texts.pictures : texts.history}
        >
          {selectedId === undefined ? (
            <Pictures />
          ) : (
            <Details key={selectedId} id={selectedId} onClose={() => select(undefined)} />
          )}
        </aside>
      </main>
      <Notice />
      <ConflictDialog />
      <AddDialog />
      <ImportDialog />
      <KeyDialog />
    </>
  );
}

function Total() {
  const { total, isEstimated } = rows.value;
  if (refusal.value) return <p class="total" />;
  if (total.value === undefined) return <p class="total">{texts.loading}</p>;
  const count = formatCount(total.value);
  return <p class="total">{isEstimated.value ? texts.aboutRows(count) : texts.rows(count)}</p>;
}

function Connection() {
  const text = isUnavailable.value ? texts.away : texts.live;
  return (
    <p class={`connection ${isUnavailable.value ? 'away' : ''}`} role="status" title={text}>
      <span class={isUnavailable.value ? '' : 'visually-hidden'}>{text}</span>
    </p>
  );
}

function Notice() {
  if (!notice.value) return <p class="visually-hidden" role="status" />;
  const { text, canUndo } = notice.value;
  return (
    <p class="notice" role="status">
      {text}
      {canUndo && (
        <button type="button" onClick={() => void undo()}>
          {texts.undo} <kbd>Ctrl+Z</kbd>
        </button>
      )}
      <button type="button" onClick={() => (notice.value = undefined)} aria-label={texts.close}>
        ✕
      </button>
    </p>
  );
}
