import { computed, signal } from '@preact/signals';

/** What is shown. The parameters are those of the list, so that the address of a view explains itself. */
export interface View {
  /** The parameters of the list besides those of its pages. */
  parameters: URLSearchParams;
  /** The marathon whose history is shown. */
  selectedId?: number;
  /** The columns that are not shown. */
  hidden: readonly string[];
  /** The widths of columns in pixels, of those that were changed. */
  widths: Readonly<Record<string, number>>;
}

/** Parameters of the page: the service does not know them. */
const LAYOUT_PARAMETERS = ['hide', 'widths'];
const PAGE_PARAMETERS = ['limit', 'offset', 'after', 'select', 'format', 'having'];

export interface SortTerm {
  column: string;
  isDescending: boolean;
}

export const view = signal(readView());
/** The same for all views of the same rows. */
export const listKey = computed(() => view.value.parameters.toString());
/** Whether the table is that of an earlier time, which cannot be changed. */
export const isPast = computed(() => view.value.parameters.has('as_of'));
export const sortTerms = computed(() => parseOrder(view.value.parameters.get('order') ?? ''));

addEventListener('popstate', () => (view.value = readView()));
addEventListener('hashchange', () => (view.value = readView()));

function readView(): View {
  const parameters = new URLSearchParams(location.search);
  const layout = {
    hidden: (parameters.get('hide') ?? '').split(',').filter(Boolean),
    widths: readWidths(parameters.get('widths') ?? ''),
  };
  for (const name of [...PAGE_PARAMETERS, ...LAYOUT_PARAMETERS]) parameters.delete(name);
  const id = /^#\/(\d{1,10})$/.exec(location.hash)?.[1];
  return { parameters, selectedId: id === undefined ? undefined : Number(id), ...layout };
}

/** As in `name:300,city:120`. */
function readWidths(text: string): View['widths'] {
  return Object.fromEntries(
    [...text.matchAll(/(\w+):(\d{2,4})/g)].map(([, column, width]) => [column, Number(width)]),
  );
}

/** Changes parameters. `null` removes one. While someone types, the address is replaced. */
export function changeView(
  changes: Record<string, string | string[] | null>,
  { isReplaced = false } = {},
): void {
  const parameters = new URLSearchParams(view.value.parameters);
  for (const [name, value] of Object.entries(changes)) {
    parameters.delete(name);
    for (const each of [value ?? []].flat()) parameters.append(name, each);
  }
  show({ ...view.value, parameters }, isReplaced);
}

export function select(selectedId: number | undefined): void {
  if (selectedId !== view.value.selectedId) show({ ...view.value, selectedId }, false);
}

/** Changes which columns are shown, and how wide they are. */
export function changeLayout(changes: Partial<Pick<View, 'hidden' | 'widths'>>): void {
  show({ ...view.value, ...changes }, true);
}

function show(next: View, isReplaced: boolean): void {
  const query = [next.parameters.toString(), ...layoutParameters(next)].filter(Boolean).join('&');
  const hash = next.selectedId === undefined ? '' : `#/${next.selectedId}`;
  const address = `${location.pathname}${query && `?${query}`}${hash}`;
  history[isReplaced ? 'replaceState' : 'pushState'](null, '', address);
  view.value = next;
}

function layoutParameters({ hidden, widths }: View): string[] {
  const changed = Object.entries(widths).map(([column, width]) => `${column}:${width}`);
  return [
    hidden.length && `hide=${hidden.join()}`,
    changed.length && `widths=${changed.join()}`,
  ].filter((parameter) => parameter !== 0);
}

function parseOrder(text: string): SortTerm[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((term) => {
      const [column = '', ...words] = term.split('.');
      return { column, isDescending: words.includes('desc') };
    });
}

/** Sorts by a column: ascending, descending, and not any more. `isAdded` keeps the other columns. */
export function toggleSort(column: string, isAdded: boolean): void {
  const terms = sortTerms.value;
  const current = terms.find((term) => term.column === column);
  const others = isAdded ? terms.filter((term) => term !== current) : [];
  const next = current?.isDescending
    ? others
    : [...others, { column, isDescending: current !== undefined }];
  const order = next.map((term) => `${term.column}${term.isDescending ? '.desc' : ''}.nullslast`);
  changeView({ order: order.join(',') || null });
}
