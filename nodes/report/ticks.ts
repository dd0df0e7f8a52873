/**
 * Round numbers from at or below `least` to at or above `most`.
 * @param count about how many steps
 */
export function ticksOf(least: number, most: number, count: number): number[] {
  if (!Number.isFinite(least) || !Number.isFinite(most)) return [];
  const size = Math.max(Math.abs(least), Math.abs(most));
  // What differs in the last digits only is drawn as a level.
  const span = most - least > size * 1e-9 && most - least > 1e-12 ? most - least : size * 0.1 || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.ceil(most / step));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
