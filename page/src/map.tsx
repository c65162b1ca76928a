import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import landAddress from './generated/land.svg?url';
import { formatCount } from './format.ts';
import { MAP_RATIO, project } from './projection.ts';
import { texts } from './texts.ts';
import type { City, MarathonMap } from './types.ts';

/** In pixels. */
const [MIN_RADIUS, MAX_RADIUS, REACH] = [2, 8, 14];
/** Dots are small as long as no city has many marathons. */
const MANY = 5;
const TURN = 2 * Math.PI;
const DARK = matchMedia('(prefers-color-scheme: dark)');

/** The city under the pointer, or that the arrow keys reached: an index of the features. */
const pointed = signal<number | undefined>(undefined);

interface Properties {
  map: MarathonMap;
  isChosen: (city: string) => boolean;
  choose: (city: string) => void;
}

/** A dot for each city. A click filters the table; so does Enter, after the arrow keys. */
export function WorldMap({ map, isChosen, choose }: Properties) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { features, placed, unplaced, attribution } = map;
  // a change of the size may be told when the map is gone
  const draw = () => canvas.current && drawCities(canvas.current, features, isChosen);
  useLayoutEffect(() => void draw());
  useEffect(() => {
    const sizes = new ResizeObserver(draw);
    sizes.observe(canvas.current!);
    DARK.addEventListener('change', draw);
    return () => {
      sizes.disconnect();
      DARK.removeEventListener('change', draw);
    };
  }, [features]);
  const city = pointed.value === undefined ? undefined : features[pointed.value]?.properties;
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter' && city) choose(city.city);
    if (!step || !features.length) return;
    event.preventDefault();
    const from = pointed.value ?? (step > 0 ? -1 : 0);
    pointed.value = (from + step + features.length) % features.length;
  };
  const find = (event: PointerEvent) => (pointed.value = nearest(canvas.current!, features, event));
  return (
    <section class="picture map-picture">
      <h2>{texts.map}</h2>
      <div class="map" style={{ '--land': `url("${landAddress}")` }}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="slider"
          aria-label={texts.map}
          aria-valuemin={0}
          aria-valuemax={features.length}
          aria-valuenow={(pointed.value ?? -1) + 1}
          aria-valuetext={city ? describe(city) : texts.mapKeys}
          style={{ aspectRatio: String(1 / MAP_RATIO) }}
          onKeyDown={onKey}
          onPointerMove={find}
          onPointerDown={find}
          onPointerLeave={() => (pointed.value = undefined)}
          onClick={() => city && choose(city.city)}
        />
      </div>
      <p class="caption">
        <bdi>
          {city
            ? describe(city)
            : texts.placed(formatCount(placed.marathons), formatCount(unplaced.marathons))}
        </bdi>
      </p>
      <details>
        <summary>{texts.unplaced(formatCount(unplaced.cities))}</summary>
        <p>
          <bdi>{unplaced.examples.join(' · ')}</bdi>
        </p>
      </details>
      <p class="attribution">{attribution}</p>
    </section>
  );
}

function describe({ city, place, count, is_approximate, other_places }: City['properties']) {
  const where = place.startsWith(`${city},`) ? place : `${city} (${place})`;
  const doubts = [
    is_approximate && texts.approximate,
    other_places.length > 0 && texts.orElse(other_places.join(' · ')),
  ];
  return [texts.inCity(where, formatCount(count)), ...doubts.filter(Boolean)].join(' ');
}

function drawCities(
  canvas: HTMLCanvasElement,
  cities: City[],
  isChosen: (city: string) => boolean,
): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const context = canvas.getContext('2d')!;
  context.scale(devicePixelRatio, devicePixelRatio);
  context.fillStyle = getComputedStyle(canvas).color;
  context.strokeStyle = context.fillStyle;
  const most = Math.max(MANY, cities[0]?.properties.count ?? 0);
  for (const [index, city] of cities.entries()) {
    const [x, y] = project(...city.geometry.coordinates);
    const { count, is_approximate, other_places } = city.properties;
    const isStrong = index === pointed.value || isChosen(city.properties.city);
    context.globalAlpha = isStrong ? 1 : 0.6;
    context.beginPath();
    context.arc(x * width, y * width, radiusOf(count, most) + (isStrong ? 2 : 0), 0, TURN);
    // a ring is where one cannot be sure
    if (is_approximate || other_places.length) context.stroke();
    else context.fill();
  }
}

/** The area of a dot is in proportion to its count. */
function radiusOf(count: number, most: number): number {
  return Math.max(MIN_RADIUS, MAX_RADIUS * Math.sqrt(count / most));
}

/** The city next to the pointer. */
function nearest(canvas: HTMLCanvasElement, cities: City[], { offsetX, offsetY }: PointerEvent) {
  let [least, found] = [REACH, undefined as number | undefined];
  for (const [index, { geometry }] of cities.entries()) {
    const [x, y] = project(...geometry.coordinates);
    const distance = Math.hypot(x * canvas.clientWidth - offsetX, y * canvas.clientWidth - offsetY);
    if (distance < least) [least, found] = [distance, index];
  }
  return found;
}
