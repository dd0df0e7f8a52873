import type { Raster } from "./raster.ts";

export type Point = [x: number, y: number];

/** The longest contour of a height field at a level (marching squares), vertices in order, mm; empty where there is none. */
export function outlineAt(field: Raster, levelMm: number): Point[] {
  const { width, height, values, cellMm } = field;
  const at = (i: number, j: number) =>
    (i < 0 || j < 0 || i >= width || j >= height ? 0 : (values[j * width + i] ?? 0)) - levelMm;
  // Crossings on grid edges, each shared by two cells: "h" from (i, j) to the right, "v" from (i, j) down.
  const links = new Map<string, string[]>();
  const points = new Map<string, Point>();
  const crossing = (name: string, i0: number, j0: number, i1: number, j1: number): string => {
    const a = at(i0, j0);
    const t = a / (a - at(i1, j1));
    points.set(name, [field.x0 + (i0 + t * (i1 - i0)) * cellMm, field.y0 + (j0 + t * (j1 - j0)) * cellMm]);
    return name;
  };
  const join = (a: string, b: string) => {
    links.set(a, [...(links.get(a) ?? []), b]);
    links.set(b, [...(links.get(b) ?? []), a]);
  };
  for (let j = -1; j < height; j += 1)
    for (let i = -1; i < width; i += 1) {
      const inside = [at(i, j) > 0, at(i + 1, j) > 0, at(i + 1, j + 1) > 0, at(i, j + 1) > 0];
      const edges: string[] = [];
      if (inside[0] !== inside[1]) edges.push(crossing(`h${i},${j}`, i, j, i + 1, j));
      if (inside[1] !== inside[2]) edges.push(crossing(`v${i + 1},${j}`, i + 1, j, i + 1, j + 1));
      if (inside[2] !== inside[3]) edges.push(crossing(`h${i},${j + 1}`, i, j + 1, i + 1, j + 1));
      if (inside[3] !== inside[0]) edges.push(crossing(`v${i},${j}`, i, j, i, j + 1));
      for (let k = 0; k + 1 < edges.length; k += 2) join(edges[k] ?? "", edges[k + 1] ?? "");
    }
  let longest: string[] = [];
  const seen = new Set<string>();
  for (const start of links.keys()) {
    if (seen.has(start)) continue;
    const loop: string[] = [];
    for (let next: string | undefined = start; next !== undefined; ) {
      const here: string = next;
      seen.add(here);
      loop.push(here);
      next = links.get(here)?.find((other) => !seen.has(other));
    }
    if (loop.length > longest.length) longest = loop;
  }
  return longest.flatMap((name) => {
    const point = points.get(name);
    return point ? [point] : [];
  });
}

/** Convex hull, anticlockwise (Andrew's monotone chain). */
export function hullOf(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered: readonly Point[]): Point[] => {
    const chain: Point[] = [];
    for (const p of ordered) {
      for (;;) {
        const a = chain.at(-2);
        const b = chain.at(-1);
        if (!a || !b || (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0) break;
        chain.pop();
      }
      chain.push(p);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half(sorted.toReversed())];
}

/** Greatest extent of the points over all directions, and their extent square to it (calipers on the hull). */
export function extentsOf(points: readonly Point[]): { lengthMm: number; widthMm: number } {
  const hull = hullOf(points);
  let lengthMm = 0;
  let along: Point = [1, 0];
  for (const a of hull)
    for (const b of hull) {
      const distance = Math.hypot(b[0] - a[0], b[1] - a[1]);
      if (distance <= lengthMm) continue;
      lengthMm = distance;
      along = [(b[0] - a[0]) / distance, (b[1] - a[1]) / distance];
    }
  const across = hull.map(([x, y]) => y * along[0] - x * along[1]);
  return { lengthMm, widthMm: hull.length > 0 ? Math.max(...across) - Math.min(...across) : 0 };
}
