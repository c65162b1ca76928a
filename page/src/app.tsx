import { isUnavailable } from './api.ts';
import { ChosenBar, ChosenDialog } from './chosen-bar.tsx';
import { DeletedDialog } from './deleted-dialog.tsx';
import { ConflictDialog, KeyDialog } from './dialogs.tsx';
import { Grid } from './grid.tsx';
import { Details } from './details.tsx';
import { formatCount, formatTime } from './format.ts';
import { FileInput } from './file-input.tsx';
import { FormDialog } from './form-dialog.tsx';
import { arePicturesOpen } from './layout.ts';
import { refusal, rows } from './list.ts';
import { HelpDialog } from './help-dialog.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { notice, undo } from './notices.ts';
import { showNow } from './past.ts';
import { PasteDialog, useDroppedFiles } from './pasting.tsx';
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
        <div class="table">
          <Past />
          <Grid />
          <ChosenBar />
        </div>
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
      <FileInput />
      <FormDialog />
      <ChosenDialog />
      <PasteDialog />
      <ImportDialog />
      <DeletedDialog />
      <HelpDialog />
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

/** Says that the table is that of an earlier time. */
function Past() {
  const time = view.value.parameters.get('as_of');
  if (!time || Number.isNaN(Date.parse(time))) return null;
  return (
    <p class="past" role="status">
      {texts.asItWas(formatTime(time))}
      <button type="button" onClick={showNow}>
        {texts.backToNow}
      </button>
    </p>
  );
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
