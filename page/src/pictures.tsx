import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { send, untilAnswered } from './api.ts';
import { formatCount } from './format.ts';
import { lastSeq } from './list.ts';
import { texts } from './texts.ts';
import type { Statistics } from './types.ts';
import { changeView, listKey, view } from './view.ts';

const MAX_CITIES = 12;
/** Statistics of a million marathons take half a second: they follow changes with a distance. */
const REFRESH_MS = 1500;
const YEAR = 'inception_year';

const decades = signal<Statistics['by_decade']>([]);
const cities = signal<Statistics['by_city']>([]);

/** Counts by decade and by city. A click filters the table. */
export function Pictures() {
  useEffect(() => {
    const fetching = new AbortController();
    void fetchStatistics(fetching.signal);
    return () => fetching.abort();
  }, [listKey.value]);
  useEffect(() => {
    if (!lastSeq.value) return undefined;
    const fetching = new AbortController();
    const timer = setTimeout(() => void fetchStatistics(fetching.signal), REFRESH_MS);
    return () => {
      clearTimeout(timer);
      fetching.abort();
    };
  }, [lastSeq.value]);
  if (!decades.value.length) return null;
  return (
    <>
      <Bars
        title={texts.founded}
        bars={decades.value.map(({ decade, count }) => ({
          label: decade === null ? texts.noYear : `${decade}s`,
          count,
          isChosen: isChosen(YEAR, decadeFilter(decade)),
          choose: () => toggle(YEAR, decadeFilter(decade)),
        }))}
      />
      <Bars
        title={texts.cities}
        bars={cities.value.slice(0, MAX_CITIES).map(({ city, count }) => ({
          label: city ?? texts.noCity,
          count,
          isChosen: isChosen('city', cityFilter(city)),
          choose: () => toggle('city', cityFilter(city)),
        }))}
      />
    </>
  );
}

interface Bar {
  label: string;
  count: number;
  isChosen: boolean;
  choose: () => void;
}

function Bars({ title, bars }: { title: string; bars: Bar[] }) {
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return (
    <section class="picture">
      <h2>{title}</h2>
      <ul>
        {bars.map(({ label, count, isChosen: chosen, choose }) => (
          <li key={label}>
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
async function fetchStatistics(aborted: AbortSignal): Promise<void> {
  const [decadesAddress, citiesAddress] = [addressWithout(YEAR), addressWithout('city')];
  const fetch = async (address: string) =>
    untilAnswered(async () => send<Statistics>(address, { signal: aborted }));
  try {
    const byDecade = fetch(decadesAddress);
    const byCity = citiesAddress === decadesAddress ? byDecade : fetch(citiesAddress);
    const answers = await Promise.all([byDecade, byCity]);
    decades.value = answers[0].body.by_decade;
    cities.value = answers[1].body.by_city;
  } catch {
    // the list shows what is wrong with the filter; an aborted request is followed by another one
  }
}

function addressWithout(column: string): string {
  const parameters = new URLSearchParams(view.peek().parameters);
  parameters.delete(column);
  parameters.delete('order');
  return `/marathon/stats?${parameters.toString()}`;
}
