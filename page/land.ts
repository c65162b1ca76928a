import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { feature } from 'topojson-client';
import { MAP_RATIO, project } from './src/projection.ts';

const WIDTH = 1000;
const ANTARCTICA = -60;
const land = createRequire(import.meta.url)('world-atlas/land-110m.json');

/** Writes the outline of the land (Natural Earth, public domain) as it is behind the dots of the map. */
export function writeLand(): void {
  const folder = join(import.meta.dirname, 'src/generated');
  mkdirSync(folder, { recursive: true });
  const { features } = feature(land, land.objects.land) as unknown as { features: Feature[] };
  const rings = features
    .flatMap(({ geometry }) => geometry.coordinates.flat())
    .filter((ring) => ring.some(([, latitude]) => latitude > ANTARCTICA));
  const path = rings.map(pathOf).join('');
  const height = Math.round(WIDTH * MAP_RATIO);
  writeFileSync(
    join(folder, 'land.svg'),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}"><path d="${path}"/></svg>\n`,
  );
}

type Ring = [longitude: number, latitude: number][];
interface Feature {
  geometry: { coordinates: Ring[][] };
}

/** A ring that crosses the 180th meridian goes on at the other side of the map. */
function pathOf(ring: Ring): string {
  const points = ring.map(([longitude, latitude], index) => {
    const isFar = Math.abs(longitude - ring.at(index - 1)![0]) > 180;
    const [x, y] = project(longitude, latitude).map((value) => (value * WIDTH).toFixed(0));
    return `${isFar || !index ? 'M' : 'L'}${x} ${y}`;
  });
  return points.filter((point, index) => point !== points[index - 1]).join('');
}
