/**
 * Lets the same thing be said once in a while: gives a function that is true the first time it is asked about a key and
 * then at most once every `intervalMs`. For keys of a small fixed set, such as error codes.
 */
export function onceEvery(intervalMs: number, now: () => number = () => performance.now()): (key: string) => boolean {
  const saidAt = new Map<string, number>();
  return (key) => {
    const last = saidAt.get(key);
    if (last !== undefined && now() - last < intervalMs) return false;
    saidAt.set(key, now());
    return true;
  };
}
