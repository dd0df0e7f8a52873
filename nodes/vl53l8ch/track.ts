import type { Motion } from "./fit.ts";
import type { ZoneMap } from "./zones.ts";

/** One frame of a passage. */
export interface Pass {
  map: ZoneMap;
  /** Seconds from the middle of the passage. */
  t: number;
}

/** Slower than this a product counts as lying still, mm/s. */
const STILL_MM_S = 5;
const FASTEST_MM_S = 900;
const CELL_MM = 16;

/** A first estimate of how a product moves through the view: by its middle where it is whole, else by what fits best. */
export function trackOf(passes: readonly Pass[]): { motion: Motion; isMoving: boolean } {
  if (passes.length < 2) return { motion: { x: 0, y: 0 }, isMoving: false };
  const whole = passes.filter(({ map: { touches } }) => !Object.values(touches).some(Boolean));
  const motion = whole.length >= 3 ? byMiddle(whole) : byFit(passes);
  const isMoving = Math.hypot(motion.x, motion.y) > STILL_MM_S;
  return { motion: isMoving ? motion : { x: 0, y: 0 }, isMoving };
}

function byMiddle(passes: readonly Pass[]): Motion {
  const middles = passes.map(({ map, t }) => {
    let total = 0;
    let x = 0;
    let y = 0;
    map.volumeMm3.forEach((volume, zone) => {
      total += volume;
      x += volume * (map.x[zone] ?? 0);
      y += volume * (map.y[zone] ?? 0);
    });
    return { t, x: x / total, y: y / total };
  });
  const meanT = middles.reduce((sum, { t }) => sum + t, 0) / middles.length;
  const spread = middles.reduce((sum, { t }) => sum + (t - meanT) ** 2, 0);
  const slope = (axis: "x" | "y") =>
    spread > 0 ? middles.reduce((sum, middle) => sum + (middle.t - meanT) * middle[axis], 0) / spread : 0;
  return { x: slope("x"), y: slope("y") };
}

/** The motion along rows or columns under which all frames agree best on the heights. */
function byFit(passes: readonly Pass[]): Motion {
  let best: Motion = { x: 0, y: 0 };
  let least = disagreement(passes, best);
  const consider = (motion: Motion) => {
    const value = disagreement(passes, motion);
    if (value < least) [least, best] = [value, motion];
  };
  for (let speed = 30; speed <= FASTEST_MM_S; speed *= 1.12)
    for (const [x, y] of [
      [0, 1],
      [0, -1],
      [1, 0],
      [-1, 0],
    ] as const)
      consider({ x: x * speed, y: y * speed });
  for (let round = 0, step = 0.06; round < 4; round += 1, step /= 2) {
    const { x, y } = best;
    for (const factor of [1 - step, 1 + step]) consider({ x: x * factor, y: y * factor });
  }
  return best;
}

/** Mean variance of the heights that fall on the same place of the product. */
function disagreement(passes: readonly Pass[], motion: Motion): number {
  const cells = new Map<number, { n: number; sum: number; square: number }>();
  for (const { map, t } of passes) {
    map.heightMm.forEach((height, zone) => {
      if (Number.isNaN(height)) return;
      const i = Math.round(((map.x[zone] ?? 0) - motion.x * t) / CELL_MM);
      const j = Math.round(((map.y[zone] ?? 0) - motion.y * t) / CELL_MM);
      const key = i * 4096 + j;
      const cell = cells.get(key) ?? { n: 0, sum: 0, square: 0 };
      cell.n += 1;
      cell.sum += height;
      cell.square += height * height;
      cells.set(key, cell);
    });
  }
  let within = 0;
  let freedom = 0;
  for (const { n, sum, square } of cells.values()) {
    if (n < 2) continue;
    within += square - (sum * sum) / n;
    freedom += n - 1;
  }
  return freedom < 16 ? Number.POSITIVE_INFINITY : within / freedom;
}
