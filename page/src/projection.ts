/** Beyond, there are few marathons. */
const [NORTH, SOUTH] = [76, -57];

/** Miller's cylindrical projection: the north, where most marathons are, has much room. */
function millerY(latitude: number): number {
  const radians = (latitude * Math.PI) / 180;
  return 1.25 * Math.log(Math.tan(Math.PI / 4 + 0.4 * radians));
}

const TOP = millerY(NORTH);
const WIDTH = 2 * Math.PI;

/** The height of the map for a width of 1. */
export const MAP_RATIO = (TOP - millerY(SOUTH)) / WIDTH;

/** Where a point is on a map that is 1 wide. */
export function project(longitude: number, latitude: number): [x: number, y: number] {
  return [longitude / 360 + 0.5, (TOP - millerY(latitude)) / WIDTH];
}
