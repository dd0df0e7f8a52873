/** What a sample's number says about those before it. */
export interface SequenceNews {
  /** Numbers missing between the highest seen and this one: samples that have not arrived (yet). */
  missing: number;
  /** This one had been counted as missing. */
  isFound: boolean;
}

interface Boot {
  highest: number;
  /** Ranges of numbers not seen, ascending, ends included. */
  gaps: [from: number, to: number][];
}

/** Gaps remembered per start of a device; of more, the oldest can no longer be found. */
const MAX_GAPS = 64;

/**
 * Counts the samples that numbered devices sent and that did not arrive, per device and start. Bounded: the starts heard
 * of longest ago are forgotten first. A start heard of for the first time begins with the number it shows: what came
 * before it may have arrived before this process began.
 */
export class Sequences {
  readonly #most: number;
  readonly #boots = new Map<string, Boot>();
  readonly #missingBy = new Map<string, number>();
  #missing = 0;

  constructor(most = 4096) {
    this.#most = most;
  }

  /** Samples missing now, over all devices. */
  get missing(): number {
    return this.#missing;
  }

  /** Samples of one device missing now. */
  missingOf(deviceId: string): number {
    return this.#missingBy.get(deviceId) ?? 0;
  }

  /** Samples missing now, by device, of those that miss any. */
  missingByDevice(): Record<string, number> {
    return Object.fromEntries(this.#missingBy);
  }

  /** Notes a sample. @returns undefined when its number is the next one, or was seen before */
  note(deviceId: string, bootId: string, seq: number): SequenceNews | undefined {
    const key = `${deviceId}/${bootId}`;
    const boot = this.#boots.get(key);
    if (!boot) {
      this.#boots.set(key, { highest: seq, gaps: [] });
      const [oldest] = this.#boots.keys();
      if (this.#boots.size > this.#most && oldest !== undefined) this.#boots.delete(oldest);
      return undefined;
    }
    this.#boots.delete(key);
    this.#boots.set(key, boot);
    if (seq <= boot.highest) return this.#fill(deviceId, boot, seq) ? { missing: 0, isFound: true } : undefined;
    const missing = seq - boot.highest - 1;
    if (missing > 0) {
      boot.gaps.push([boot.highest + 1, seq - 1]);
      if (boot.gaps.length > MAX_GAPS) boot.gaps.shift();
      this.#add(deviceId, missing);
    }
    boot.highest = seq;
    return missing > 0 ? { missing, isFound: false } : undefined;
  }

  #add(deviceId: string, change: number): void {
    this.#missing += change;
    const missing = this.missingOf(deviceId) + change;
    this.#missingBy.delete(deviceId);
    if (missing > 0) this.#missingBy.set(deviceId, missing);
    const [oldest] = this.#missingBy.keys();
    if (this.#missingBy.size > this.#most && oldest !== undefined) this.#missingBy.delete(oldest);
  }

  #fill(deviceId: string, { gaps }: Boot, seq: number): boolean {
    const index = gaps.findIndex(([from, to]) => seq >= from && seq <= to);
    const gap = gaps[index];
    if (!gap) return false;
    const [from, to] = gap;
    const left: [number, number][] = [];
    if (from < seq) left.push([from, seq - 1]);
    if (seq < to) left.push([seq + 1, to]);
    gaps.splice(index, 1, ...left);
    if (gaps.length > MAX_GAPS) gaps.shift();
    this.#add(deviceId, -1);
    return true;
  }
}
