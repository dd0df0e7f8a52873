/** Failures that cost nothing, and the longest wait, s. */
const FREE = { person: 8, address: 5 } as const;
const MAX_WAIT_S = 300;
const MAX_KEPT = 2000;
/** Failures are forgotten after this time without another, ms. */
const FORGET_MS = 24 * 3600_000;

interface Count {
  failures: number;
  untilMs: number;
  atMs: number;
}

/**
 * Makes who keeps failing wait: per address and per name (whether anybody has that name or not), each failure doubling
 * the wait up to five minutes. A name's wait does not hold for an address where that person has signed in before, so
 * that a stranger can't lock people out of their own screens. Bounded; in memory.
 */
export class SignInLimits {
  readonly #counts = new Map<string, Count>();
  readonly #known = new Map<string, number>();
  readonly #now: () => number;

  /** @param now a monotonic clock, ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Seconds to wait before the next attempt; 0: now. */
  waitS(name: string, address: string): number {
    const waits = [this.#waitOf(addressKey(address))];
    if (!this.#known.has(pairKey(name, address))) waits.push(this.#waitOf(nameKey(name)));
    return Math.max(...waits);
  }

  /** Notes a failure; true when the next attempt has to wait because of it. */
  failed(name: string, address: string): boolean {
    this.#add(addressKey(address), FREE.address);
    this.#add(nameKey(name), FREE.person);
    return this.waitS(name, address) > 0;
  }

  succeeded(name: string, address: string): void {
    this.#counts.delete(addressKey(address));
    this.#counts.delete(nameKey(name));
    bounded(this.#known, pairKey(name, address), this.#now());
  }

  #waitOf(key: string): number {
    return Math.max(0, Math.ceil(((this.#counts.get(key)?.untilMs ?? 0) - this.#now()) / 1000));
  }

  #add(key: string, free: number): void {
    const before = this.#counts.get(key);
    const failures = before && this.#now() - before.atMs < FORGET_MS ? before.failures + 1 : 1;
    const waitS = failures < free ? 0 : Math.min(MAX_WAIT_S, 2 ** (failures - free));
    bounded(this.#counts, key, { failures, untilMs: this.#now() + waitS * 1000, atMs: this.#now() });
  }
}

const addressKey = (address: string) => `address ${address}`;
const nameKey = (name: string) => `name ${clean(name)}`;
const pairKey = (name: string, address: string) => `${clean(name)} at ${address}`;
const clean = (name: string) => name.trim().normalize("NFKC").toLowerCase().slice(0, 100);

function bounded<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > MAX_KEPT && !oldest.done) map.delete(oldest.value);
}
