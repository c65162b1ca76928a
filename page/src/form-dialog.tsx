import { signal } from '@preact/signals';
import { messageOf, RefusedError } from './api.ts';
import { Dialog } from './dialogs.tsx';
import { change, create, currentOf, valueOf } from './edits.ts';
import { say } from './notices.ts';
import { texts } from './texts.ts';
import { COLUMNS, type Column, type Marathon } from './types.ts';
import { isPast, select } from './view.ts';

type Errors = Partial<Record<Column | 'all', string>>;

/** The form of a marathon: of a new one, or of one that is changed. */
interface Form {
  marathon?: Marathon;
}

const form = signal<Form | undefined>(undefined);
const errors = signal<Errors>({});

export function addOne(): void {
  open({});
}

export function editOne(marathon: Marathon): void {
  open({ marathon });
}

function open(opened: Form): void {
  if (isPast.peek()) say(texts.pastIsFixed);
  else form.value = opened;
}

function close(): void {
  form.value = undefined;
  errors.value = {};
}

/** The form of a marathon. What the service refuses stands at the field. */
export function FormDialog() {
  if (!form.value) return null;
  const { marathon } = form.value;
  const [title, button] = marathon ? [texts.edit, texts.save] : [texts.add, texts.add];
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const sent = new FormData(event.currentTarget as HTMLFormElement);
    const values = COLUMNS.map((column) => [column, valueOf(column, sent.get(column) as string)]);
    try {
      await store(Object.fromEntries(values), marathon);
      close();
    } catch (error) {
      showFailure(error);
    }
  };
  return (
    <Dialog title={title} onCancel={close}>
      <form class="fields" noValidate onSubmit={(event) => void submit(event)}>
        <h2>{title}</h2>
        {COLUMNS.map((column) => (
          <Field
            key={column}
            column={column}
            value={marathon?.[column]}
            error={errors.value[column]}
          />
        ))}
        {errors.value.all && <p role="alert">{errors.value.all}</p>}
        <div class="buttons">
          <button type="button" onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="primary">
            {button}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

async function store(values: Partial<Marathon>, marathon?: Marathon): Promise<void> {
  if (!marathon) return select(await create(values));
  const changed = COLUMNS.filter((column) => values[column] !== marathon[column]);
  if (changed.length)
    await change(marathon, Object.fromEntries(changed.map((column) => [column, values[column]])));
}

interface FieldProperties {
  column: Column;
  value?: string | number | null;
  error?: string;
}

function Field({ column, value, error }: FieldProperties) {
  const errorId = `${column}-error`;
  return (
    <label>
      {texts.columns[column]}
      <input
        name={column}
        autocomplete="off"
        defaultValue={value === null || value === undefined ? '' : String(value)}
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

/** If someone else was faster, their values stand at the fields, and saving again replaces them. */
function showFailure(error: unknown): void {
  const before = form.peek()?.marathon;
  const theirs = currentOf(error);
  if (!before || !theirs) {
    errors.value = errorsOf(error);
    return;
  }
  const changed = COLUMNS.filter((column) => theirs[column] !== before[column]);
  const values = changed.map((column) => [column, `${texts.theirs}: ${theirs[column] ?? '–'}`]);
  errors.value = { all: texts.conflictInForm, ...(Object.fromEntries(values) as Errors) };
  form.value = { marathon: { ...before, version: theirs.version } };
}

function errorsOf(error: unknown): Errors {
  const details = error instanceof RefusedError ? error.problem.errors : undefined;
  const byColumn = details?.flatMap(({ pointer, detail = '' }) => {
    const column = COLUMNS.find((name) => pointer === `#/${name}`);
    return column ? [[column, detail]] : [];
  });
  return byColumn?.length ? Object.fromEntries(byColumn) : { all: messageOf(error) };
}
