import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatCount } from './format.ts';
import { lastSeq, rows } from './list.ts';
import { WorldMap } from './map.tsx';
import { read } from './reads.ts';
import { texts } from './texts.ts';
import type { MarathonMap, Statistics } from './types.ts';
import { changeView, isPast, view } from './view.ts';

const MAX_CITIES = 12;
/** Statistics of a million marathons take half a second: they follow changes with a distance. */
const REFRESH_MS = 1500;
const YEAR = 'inception_year';
const THIS_YEAR = new Date().getFullYear();

const decades = signal<Statistics['by_decade']>([]);
const cities = signal<Statistics['by_city']>([]);
const anniversaries = signal<Anniversaries[]>([]);
const map = signal<MarathonMap>({
  type: 'FeatureCollection',
  features: [],
  placed: { cities: 0, marathons: 0 },
  unplaced: { cities: 0, marathons: 0, examples: [] },
  without_city: 0,
  attribution: '',
});

interface Anniversaries {
  years: number;
  n: number;
}

/** Where marathons are, and counts by decade, by city and by anniversary. A click filters the table. */
export function Pictures() {
  useEffect(() => {
    const fetching = new AbortController();
    void fetchPictures(fetching.signal);
    return () => fetching.abort();
  }, [rows.value]);
  useEffect(() => {
    if (!lastSeq.value) return undefined;
    const fetching = new AbortController();
    const timer = setTimeout(() => void fetchPictures(fetching.signal), REFRESH_MS);
    return () => {
      clearTimeout(timer);
      fetching.abort();
    };
  }, [lastSeq.value]);
  if (!decades.value.length) return null;
  return (
    <>
      <WorldMap
        map={map.value}
        isChosen={(city) => isChosen('city', cityFilter(city))}
        choose={(city) => toggle('city', cityFilter(city))}
      />
      <Bars
        name="cities"
        title={texts.cities}
        bars={cities.value.slice(0, MAX_CITIES).map(({ city, count }) => ({
          label: city ?? texts.noCity,
          count,
          ...filterBy('city', cityFilter(city)),
        }))}
      />
      <Bars
        name="decades"
        title={texts.founded}
        bars={decades.value.map(({ decade, count }) => ({
          label: decade === null ? texts.noYear : `${decade}s`,
          count,
          ...filterBy(YEAR, decadeFilter(decade)),
        }))}
      />
      {anniversaries.value.length > 0 && (
        <Bars
          name="anniversaries"
          title={texts.anniversaries(THIS_YEAR)}
          bars={anniversaries.value.map(({ years, n }) => ({
            label: texts.years(years),
            count: n,
            ...filterBy(YEAR, [`eq.${THIS_YEAR - years}`]),
          }))}
        />
      )}
    </>
  );
}

function filterBy(column: string, filter: string[]): Pick<Bar, 'isChosen' | 'choose'> {
  return { isChosen: isChosen(column, filter), choose: () => toggle(column, filter) };
}

interface Bar {
  label: string;
  count: number;
  isChosen: boolean;
  choose: () => void;
}

function Bars({ name, title, bars }: { name: string; title: string; bars: Bar[] }) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <section class={`picture ${name}`}>
      <h2>{title}</h2>
      <ul>
        {bars.map(({ label, count, isChosen: chosen, choose }, index) => (
          // by place: a bar that moved would be a shift of the layout
          <li key={index}>
            <button type="button" class="bar" aria-pressed={chosen} onClick={choose}>
              <bdi class="label">{label}</bdi>
              <span class="track">
                <span class="fill" style={{ width: `${(100 * count) / most}%` }} />
              </span>
              <span class="count">{formatCount(count)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function decadeFilter(decade: number | null): string[] {
  return decade === null ? ['is.null'] : [`gte.${decade}`, `lte.${decade + 9}`];
}

function cityFilter(city: string | null): string[] {
  return [city === null ? 'is.null' : `eq.${city}`];
}

function isChosen(column: string, filter: string[]): boolean {
  return view.value.parameters.getAll(column).join('\n') === filter.join('\n');
}

function toggle(column: string, filter: string[]): void {
  changeView({ [column]: isChosen(column, filter) ? null : filter });
}

/** A picture ignores its own filter: the other bars stay, to be chosen. */
async function fetchPictures(aborted: AbortSignal): Promise<void> {
  const fetch = async <Body,>(path: string, parameters: URLSearchParams) =>
    read<Body>(`/marathon/${path}?${parameters.toString()}`, aborted);
  const [withoutYear, withoutCity] = [parametersWithout(YEAR), parametersWithout('city')];
  try {
    const byDecade = fetch<Statistics>('stats', withoutYear);
    const isSame = withoutYear.toString() === withoutCity.toString();
    const byCity = isSame ? byDecade : fetch<Statistics>('stats', withoutCity);
    const answers = await Promise.all([byDecade, byCity]);
    decades.value = answers[0].by_decade;
    cities.value = answers[1].by_city;
    map.value = await fetch<MarathonMap>('map', withoutCity);
    anniversaries.value = isPast.peek() ? [] : await fetchAnniversaries(withoutYear, fetch);
  } catch {
    // the list shows what is wrong with the filter; an aborted request is followed by another one
  }
}

async function fetchAnniversaries(
  parameters: URLSearchParams,
  fetch: <Body>(path: string, parameters: URLSearchParams) => Promise<Body>,
): Promise<Anniversaries[]> {
  const grouped = new URLSearchParams(parameters);
  grouped.set('select', 'years,n:count()');
  grouped.set('order', 'years.desc');
  return (await fetch<{ marathon_list: Anniversaries[] }>('anniversaries', grouped)).marathon_list;
}

function parametersWithout(column: string): URLSearchParams {
  const parameters = new URLSearchParams(view.peek().parameters);
  parameters.delete(column);
  parameters.delete('order');
  return parameters;
}
