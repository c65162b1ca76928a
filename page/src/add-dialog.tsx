import { signal } from '@preact/signals';
import { Dialog } from './dialogs.tsx';
import { messageOf, RefusedError } from './api.ts';
import { create, valueOf } from './edits.ts';
import { texts } from './texts.ts';
import { COLUMNS, type Column } from './types.ts';
import { select } from './view.ts';

export const isAdding = signal(false);
const errors = signal<Partial<Record<Column | 'all', string>>>({});

/** The form of a new marathon. What the service refuses stands at the field. */
export function AddDialog() {
  if (!isAdding.value) return null;
  const close = () => {
    isAdding.value = false;
    errors.value = {};
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const values = COLUMNS.map((column) => [column, valueOf(column, form.get(column) as string)]);
    try {
      const id = await create(Object.fromEntries(values));
      close();
      select(id);
    } catch (error) {
      errors.value = errorsOf(error);
    }
  };
  return (
    <Dialog title={texts.add} onCancel={close}>
      <form class="fields" noValidate onSubmit={(event) => void submit(event)}>
        <h2>{texts.add}</h2>
        {COLUMNS.map((column) => (
          <Field key={column} column={column} error={errors.value[column]} />
        ))}
        {errors.value.all && <p role="alert">{errors.value.all}</p>}
        <div class="buttons">
          <button type="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary">
            {texts.add}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Field({ column, error }: { column: Column; error?: string }) {
  const errorId = `${column}-error`;
  return (
    <label>
      {texts.columns[column]}
      <input
        name={column}
        autocomplete="off"
        inputMode={column === 'inception_year' ? 'numeric' : 'text'}
        required={column === 'name'}
        aria-invalid={Boolean(error)}
        aria-describedby={error ? errorId : undefined}
      />
      {error && (
        <span id={errorId} class="wrong" role="alert">
          {error}
        </span>
      )}
    </label>
  );
}

function errorsOf(error: unknown): Partial<Record<Column | 'all', string>> {
  const details = error instanceof RefusedError ? error.problem.errors : undefined;
  const byColumn = details?.flatMap(({ pointer, detail = '' }) => {
    const column = COLUMNS.find((name) => pointer === `#/${name}`);
    return column ? [[column, detail]] : [];
  });
  return byColumn?.length ? Object.fromEntries(byColumn) : { all: messageOf(error) };
}
