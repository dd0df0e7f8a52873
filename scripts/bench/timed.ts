/** Mean time of one call in ms, after one round that is not counted. */
export function timed<T>(rounds: number, items: readonly T[], call: (item: T) => unknown): number {
  for (const item of items) call(item);
  const started = performance.now();
  for (let round = 0; round < rounds; round += 1) for (const item of items) call(item);
  return (performance.now() - started) / rounds / items.length;
}
