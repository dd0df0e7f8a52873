/** How the sensor is mounted: flips first, then clockwise quarter turns. Default none: zones as the registers hold them. */
export interface Orientation {
  flipX?: boolean;
  flipY?: boolean;
  quarterTurns?: 0 | 1 | 2 | 3;
}

const known = new Map<string, readonly number[]>();

/** For each zone of the turned grid (row-major) the zone it comes from. */
export function zoneOrder(side: 4 | 8, orientation: Orientation = {}): readonly number[] {
  const { flipX = false, flipY = false, quarterTurns = 0 } = orientation;
  const key = `${side}${flipX}${flipY}${quarterTurns}`;
  let order = known.get(key);
  if (!order) {
    const last = side - 1;
    order = Array.from({ length: side * side }, (_, zone) => {
      let row = Math.floor(zone / side);
      let column = zone % side;
      for (let turn = 0; turn < quarterTurns; turn += 1) [row, column] = [last - column, row];
      return (flipY ? last - row : row) * side + (flipX ? last - column : column);
    });
    known.set(key, order);
  }
  return order;
}

/** `values` (`perZone` for each zone) in another order of zones. */
export function reorder(values: readonly number[], order: readonly number[], perZone = 1): number[] {
  const turned = new Array<number>(order.length * perZone);
  for (let zone = 0; zone < order.length; zone += 1) {
    const from = (order[zone] ?? 0) * perZone;
    for (let target = 0; target < perZone; target += 1) turned[zone * perZone + target] = values[from + target] ?? 0;
  }
  return turned;
}
