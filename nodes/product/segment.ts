/** What is known of one frame when it is put to a product. */
export interface Facts {
  deviceId: string;
  /** When it was measured, ms since 1970, and its number within the device's run where the device counts. */
  atMs: number;
  seq?: number;
  bootId?: string;
  /** Something lies in view. */
  isOccupied: boolean;
  /** The device's own trigger says which product it is. */
  productId?: string;
}

/** Why a product was closed. */
export type Closing = "gap" | "trigger" | "timeout" | "full" | "flush" | "restart";

/** What leaves: a closed product's frames in order, or frames of none (`productId` absent) or of one closed before. */
export interface Group<T> {
  deviceId: string;
  productId?: string;
  items: T[];
  /** Absent: single frames, on their way at once. */
  closing?: Closing;
}

export interface SegmentLimits {
  /** Most frames held for one product; a longer one is closed and its further frames belong to it without being used. */
  maxFrames: number;
  /** Longest time between the first and the last frame of a product, ms of measurement. */
  maxSpanMs: number;
  /** A product whose next frame does not come for so long (wall clock, ms) is closed. */
  closeAfterMs: number;
  /** Most devices with an open product; one more closes the one that waited longest. */
  maxDevices: number;
  /** Most frames held over all devices. */
  maxHeld: number;
}

export const SEGMENT_LIMITS: SegmentLimits = {
  maxFrames: 120,
  maxSpanMs: 20_000,
  closeAfterMs: 1500,
  maxDevices: 256,
  maxHeld: 400,
};

interface Held<T> {
  item: T;
  facts: Facts;
}

interface Open<T> {
  productId: string;
  isTriggered: boolean;
  frames: Held<T>[];
  touchedMs: number;
  /** Closed for its length while still in view. */
  isSpent: boolean;
}

interface Closed {
  productId: string;
  first: Facts;
  last: Facts;
}

interface Device<T> {
  open?: Open<T>;
  /** The latest closed product, for frames that come late. */
  closed?: Closed;
  touchedMs: number;
}

/**
 * Tells products apart in each device's stream of frames: by the device's trigger where a frame names its product, else by
 * what is in view over time: one empty frame parts two products. Frames are put in order by number or time, so that a late
 * one still comes to its product and a late empty one still parts two. State and held frames are bounded.
 */
export class Segmenter<T> {
  readonly #limits: SegmentLimits;
  readonly #newId: (facts: Facts) => string;
  readonly #devices = new Map<string, Device<T>>();
  #held = 0;

  /** @param newId names a product by its first frame (only asked where the device has not named it) */
  constructor(newId: (facts: Facts) => string, limits: Partial<SegmentLimits> = {}) {
    this.#newId = newId;
    this.#limits = { ...SEGMENT_LIMITS, ...limits };
  }

  get held(): number {
    return this.#held;
  }

  /** Takes the next frame; gives what is ready to go on, in order. `nowMs`: a monotonic clock. */
  add(item: T, facts: Facts, nowMs: number): Group<T>[] {
    const device = this.#device(facts.deviceId, nowMs);
    const out: Group<T>[] = [];
    const { closed, open } = device;
    if (open && isOtherRun(open.frames.at(-1)?.facts, facts)) out.push(...this.#close(device, "restart"));
    if (closed && !isOtherRun(closed.last, facts) && compare(facts, closed.last) < 0) {
      // Late: what it belonged to is gone.
      const belongs = compare(facts, closed.first) > 0 && (facts.isOccupied || facts.productId === closed.productId);
      return [...out, single(facts, item, belongs ? closed.productId : undefined)];
    }
    out.push(
      ...(facts.productId === undefined
        ? this.#byView(device, item, facts, nowMs)
        : this.#byTrigger(device, item, facts, nowMs)),
    );
    while (this.#held > this.#limits.maxHeld || this.#openDevices() > this.#limits.maxDevices) {
      const oldest = this.#longestWaiting();
      if (!oldest) break;
      out.push(...this.#spend(oldest, nowMs));
    }
    this.#forget();
    return out;
  }

  /** Closes the products whose next frame did not come. */
  expire(nowMs: number): Group<T>[] {
    const out: Group<T>[] = [];
    for (const device of this.#devices.values())
      if (device.open && nowMs - device.open.touchedMs >= this.#limits.closeAfterMs)
        out.push(...this.#close(device, "timeout"));
    return out;
  }

  /** Closes everything. */
  flush(): Group<T>[] {
    return [...this.#devices.values()].flatMap((device) => this.#close(device, "flush"));
  }

  #byTrigger(device: Device<T>, item: T, facts: Facts, nowMs: number): Group<T>[] {
    const productId = facts.productId ?? "";
    const out: Group<T>[] = [];
    if (device.open && device.open.productId !== productId) out.push(...this.#close(device, "trigger"));
    device.open ??= { productId, isTriggered: true, frames: [], touchedMs: nowMs, isSpent: false };
    return [...out, ...this.#hold(device, device.open, { item, facts }, nowMs)];
  }

  #byView(device: Device<T>, item: T, facts: Facts, nowMs: number): Group<T>[] {
    const { open } = device;
    if (facts.isOccupied) {
      const out = open?.isTriggered ? this.#close(device, "trigger") : [];
      device.open ??= {
        productId: this.#newId(facts),
        isTriggered: false,
        frames: [],
        touchedMs: nowMs,
        isSpent: false,
      };
      return [...out, ...this.#hold(device, device.open, { item, facts }, nowMs)];
    }
    if (!open) return [single(facts, item)];
    const before = open.frames.filter((held) => compare(held.facts, facts) < 0);
    const after = open.frames.slice(before.length);
    if (after.length === 0 || open.isSpent) return [...this.#close(device, "gap"), single(facts, item)];
    if (before.length === 0) return [single(facts, item)];
    // It came late: the frames behind it are the next product's.
    open.frames = before;
    this.#held -= after.length;
    const out = [...this.#close(device, "gap"), single(facts, item)];
    const [first] = after;
    if (first)
      device.open = {
        productId: this.#newId(first.facts),
        isTriggered: false,
        frames: after,
        touchedMs: nowMs,
        isSpent: false,
      };
    this.#held += after.length;
    return out;
  }

  #hold(device: Device<T>, open: Open<T>, held: Held<T>, nowMs: number): Group<T>[] {
    open.touchedMs = nowMs;
    if (open.isSpent) return [single(held.facts, held.item, open.productId)];
    const at = open.frames.findLastIndex((other) => compare(other.facts, held.facts) <= 0) + 1;
    open.frames.splice(at, 0, held);
    this.#held += 1;
    const first = open.frames[0]?.facts.atMs ?? 0;
    const last = open.frames.at(-1)?.facts.atMs ?? 0;
    if (open.frames.length < this.#limits.maxFrames && last - first < this.#limits.maxSpanMs) return [];
    return this.#spend(device, nowMs);
  }

  /** Closes a product that is still in view: what follows is the same one, but no longer used. */
  #spend(device: Device<T>, nowMs: number): Group<T>[] {
    const { open } = device;
    if (!open) return [];
    const { productId, isTriggered } = open;
    const out = this.#close(device, "full");
    device.open = { productId, isTriggered, frames: [], touchedMs: nowMs, isSpent: true };
    return out;
  }

  #close(device: Device<T>, closing: Closing): Group<T>[] {
    const { open } = device;
    delete device.open;
    const first = open?.frames[0];
    const last = open?.frames.at(-1);
    if (!open || !first || !last) return [];
    this.#held -= open.frames.length;
    device.closed = { productId: open.productId, first: first.facts, last: last.facts };
    return [
      {
        deviceId: first.facts.deviceId,
        productId: open.productId,
        items: open.frames.map(({ item }) => item),
        closing,
      },
    ];
  }

  #device(deviceId: string, nowMs: number): Device<T> {
    const device = this.#devices.get(deviceId) ?? { touchedMs: nowMs };
    // Last used last: the map's order is then the order of forgetting.
    this.#devices.delete(deviceId);
    this.#devices.set(deviceId, device);
    device.touchedMs = nowMs;
    return device;
  }

  #openDevices(): number {
    let count = 0;
    for (const { open } of this.#devices.values()) if (open && open.frames.length > 0) count += 1;
    return count;
  }

  #longestWaiting(): Device<T> | undefined {
    let found: Device<T> | undefined;
    for (const device of this.#devices.values())
      if (device.open?.frames.length && (!found?.open || device.open.touchedMs < found.open.touchedMs)) found = device;
    return found;
  }

  /** Devices that hold nothing are forgotten beyond four times the bound. */
  #forget(): void {
    for (const [deviceId, { open }] of this.#devices) {
      if (this.#devices.size <= 4 * this.#limits.maxDevices) return;
      if (!open || open.frames.length === 0) this.#devices.delete(deviceId);
    }
  }
}

function single<T>(facts: Facts, item: T, productId = facts.productId): Group<T> {
  return { deviceId: facts.deviceId, items: [item], ...(productId !== undefined && { productId }) };
}

/** Order of two frames of one device: by number within one run, else by time. */
function compare(a: Facts, b: Facts): number {
  if (a.bootId !== undefined && a.bootId === b.bootId && a.seq !== undefined && b.seq !== undefined)
    return a.seq - b.seq;
  return a.atMs - b.atMs;
}

function isOtherRun(a: Facts | undefined, b: Facts): boolean {
  return a?.bootId !== undefined && b.bootId !== undefined && a.bootId !== b.bootId;
}
