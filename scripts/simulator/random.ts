/**
 * A small seeded generator (sfc32) with the draws the simulated line needs. Same seed, same numbers, on every machine:
 * nothing here may call Math.random or the clock.
 */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  uniform(low: number, high: number): number;
  /** Integer in [low, high], both included. */
  integer(low: number, high: number): number;
  normal(mean: number, deviation: number): number;
  /** Normal draw clipped to [low, high]. */
  clipped(mean: number, deviation: number, low: number, high: number): number;
  poisson(mean: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** An independent generator; two forks by different labels never share a sequence. */
  fork(label: string): Random;
}

/** 32-bit FNV-1a of a label, so that forks depend on names rather than on the order of calls. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Makes a generator from a 32-bit seed and a label. */
export function random(seed: number, label = ""): Random {
  let a = seed >>> 0;
  let b = hash(label);
  let c = hash(`${label}/${seed}`);
  let d = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  // The first outputs of sfc32 still show the seed.
  for (let i = 0; i < 15; i++) next();

  const normal = (mean: number, deviation: number): number => {
    const u = 1 - next();
    return mean + deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * next());
  };
  const self: Random = {
    next,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (low, high) => low + Math.floor((high - low + 1) * next()),
    normal,
    clipped: (mean, deviation, low, high) => Math.min(high, Math.max(low, normal(mean, deviation))),
    poisson(mean) {
      if (mean <= 0) return 0;
      if (mean > 30) return Math.max(0, Math.round(normal(mean, Math.sqrt(mean))));
      const limit = Math.exp(-mean);
      let k = 0;
      for (let p = next(); p > limit; p *= next()) k += 1;
      return k;
    },
    chance: (probability) => next() < probability,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    fork: (name) => random(seed, `${label}/${name}`),
  };
  return self;
}
