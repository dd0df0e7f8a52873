import type { AlarmSummary } from "@foieflow/node-red-foieflow/alarm/page.js";
import { type SampleFigures, sampleFiguresOf } from "@foieflow/node-red-foieflow/sample/figures.js";
import type { Sample } from "@foieflow/node-red-foieflow/sample/sample.js";
import { shiftOf } from "@foieflow/node-red-foieflow/sample/shift.js";
import type { SiteSettings } from "@foieflow/node-red-foieflow/sample/site.js";
import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import { DeviceBoard, type DeviceEvent } from "./device-board.ts";
import { productOf, rowOf } from "./product-view.ts";
import { ReferenceSpectra } from "./reference-spectrum.ts";
import type { ProductView, RowView, StateSection, ViewSection } from "./view.ts";

const KEEP = 20;
/** Of the time between two live sections: so much longer a product waits for a newer one (at 6 Hz, a sensor's 15 Hz). */
const PATIENCE = 0.4;
const RATE_WINDOW_MIN = 10;
const MAX_SINCE = 10_000;
/** Graded products whose storing has not been heard of yet; twice what an inbox has in flight unless its site says otherwise. */
const MOST_PENDING = 2048;
const MINUTE_MS = 60_000;
/** A sample received longer ago says nothing of its device's present. */
const PRESENT_MS = MINUTE_MS;
/** Without a word from the alarm list for this long, nothing is said of alarms. */
const ALARMS_SILENT_MS = 15_000;
/** Less than this is a correction and no setting of the clock. */
const SET_BACK_MS = 2000;
/** How often each section may be sent at most, ms; and the heartbeat is. */
const SLOWEST_MS = { samples: 400, shift: 1000, devices: 1000 } as const;
const STATE_EVERY_MS = 1000;

export interface ShiftCounts {
  shift: string;
  day: string;
  counts: Partial<Record<GradeLetter, number>>;
  newestUids: readonly string[];
}

interface Kept {
  row: RowView;
  product: ProductView;
  /** Where it stands in the list: its time, until the clock is set back behind it. */
  orderMs: number;
}

/**
 * The state of one line as its screen shows it. Pure: the caller brings the clock (`nowMs`, the server's) and sends
 * what `due` returns. Bounded: 20 products, 32 devices, one shift's counts, 50 spectra a device.
 */
export class LineView {
  readonly view: string;
  readonly #settings: Pick<SiteSettings, "siteId" | "lineId" | "timeZone" | "shifts">;
  readonly #devices = new DeviceBoard();
  readonly #references = new ReferenceSpectra();
  #live: ProductView | null = null;
  /** Since when it is the live one. */
  #liveFromMs = 0;
  #kept: Kept[] = [];
  /** By uid: graded, and not known to be stored. */
  readonly #pending = new Map<string, ProductView>();
  #isIncomplete = false;
  readonly #liveEveryMs: number;
  #shift: { name: string; day: string; startMs: number };
  /** The minute since the epoch for which all this holds: shifts change with one. */
  #minute: number;
  #counts = emptyCounts();
  #complete = false;
  #sinceRecount: Map<string, GradeLetter> | undefined;
  /** Products per minute since the epoch, of the last minutes. */
  #perMinute = new Map<number, number>();
  /** Since when rates are counted, and the clock as last heard of. */
  #startedMs: number;
  #nowMs: number;
  #database: StateSection["database"] = "unknown";
  #waiting: number | null = null;
  #quarantined: number | null = null;
  #dataMs: number | null = null;
  #alarms: { summary: AlarmSummary; atMs: number } | undefined;
  #inspected: ProductView | undefined;
  #dirty = new Set<Exclude<ViewSection["section"], "state">>(["live", "samples", "shift", "devices"]);
  #sentMs = { live: 0, samples: 0, shift: 0, devices: 0, state: 0 };

  /** @param liveEveryMs the live section is sent at most this often */
  constructor(
    settings: Pick<SiteSettings, "siteId" | "lineId" | "timeZone" | "shifts">,
    nowMs: number,
    liveEveryMs = 0,
  ) {
    this.#settings = settings;
    this.#liveEveryMs = liveEveryMs;
    this.view = `${settings.siteId}/${settings.lineId}`;
    this.#startedMs = nowMs;
    this.#nowMs = nowMs;
    this.#shift = shiftAt(settings, nowMs);
    this.#minute = minuteOf(nowMs);
  }

  /** The shift now in force: what a refill must count. */
  get shift(): { name: string; day: string; startMs: number } {
    return this.#shift;
  }

  /**
   * Takes a sample that is graded and not stored yet: what is on the belt now does not wait for the database. Samples of
   * another line are passed over; ungraded ones count as a sign of life only. The newest graded one becomes the live
   * product unless it is historical; it is listed and counted when it is stored.
   * @returns whether it belongs to this line
   */
  graded(sample: Sample, nowMs: number): boolean {
    if (!this.#isOurs(sample)) return false;
    this.#turn(nowMs);
    if (!sample.isHistorical) this.#dataMs = Math.max(this.#dataMs ?? 0, Date.parse(sample.receivedAt));
    // What waited (in the inbox, in quarantine) says nothing of its device now.
    if (nowMs - Date.parse(sample.receivedAt) < PRESENT_MS) this.#devices.sample(sample, nowMs);
    this.#dirty.add("devices");
    const product = productOf(sample);
    if (!product) return true;
    this.#pending.set(product.uid, product);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > MOST_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    if (!sample.isHistorical) this.#show(product, nowMs);
    return true;
  }

  /** Takes the figures of a sample that is stored now: lists and counts its product. */
  stored(figures: SampleFigures, nowMs: number): void {
    const { sampleUid, grade, isHistorical, shift, productionDay } = figures;
    if (!this.#isOurs(figures) || grade === undefined) return;
    this.#turn(nowMs);
    if (this.#kept.some((kept) => kept.row.uid === sampleUid)) return;
    const product = this.#pending.get(sampleUid);
    this.#pending.delete(sampleUid);
    // It was shown when it was graded; shown again it could take the tile back.
    if (product) this.#list(product, isHistorical, nowMs);
    else this.#isIncomplete = true;
    if (shift === this.#shift.name && productionDay === this.#shift.day) {
      this.#counts[grade] += 1;
      if (this.#sinceRecount && this.#sinceRecount.size < MAX_SINCE) this.#sinceRecount.set(sampleUid, grade);
    }
    if (!isHistorical) this.#count(nowMs);
    this.#dirty.add("shift");
  }

  /** Takes a stored sample: as `graded` and `stored` in one. @returns whether it belongs to this line */
  take(sample: Sample, nowMs: number): boolean {
    if (!this.graded(sample, nowMs)) return false;
    this.stored(sampleFiguresOf(sample), nowMs);
    return true;
  }

  /** Whether products were stored that this view never saw (it began in between): the database has them. Asking clears it. */
  takeIncomplete(): boolean {
    const was = this.#isIncomplete;
    this.#isIncomplete = false;
    return was;
  }

  /**
   * In how many whole ms (timers know no others) the live section may be sent; undefined when there is nothing new. What
   * came before the rate allowed it waits a little for something newer, so that what is shown was measured just now and has
   * not waited.
   */
  liveInMs(nowMs: number): number | undefined {
    if (!this.#dirty.has("live")) return undefined;
    const everyMs = this.#liveEveryMs;
    const fromMs = this.#sentMs.live + everyMs;
    const waitMs = this.#liveFromMs >= fromMs ? everyMs : everyMs * (1 + PATIENCE);
    return Math.ceil(Math.min(waitMs, Math.max(0, this.#sentMs.live + waitMs - nowMs)));
  }

  /** Takes what a door said of a device. */
  deviceEvent(deviceId: string, event: DeviceEvent, nowMs: number): void {
    if (this.#devices.event(deviceId, event, nowMs)) this.#dirty.add("devices");
  }

  /** Takes the inbox's figures. */
  inbox(waiting: number, quarantined: number): void {
    this.#waiting = waiting;
    this.#quarantined = quarantined;
  }

  /** Takes what stands of the alarms; a change goes out with the next tick, not with the next heartbeat. */
  alarms(summary: AlarmSummary, nowMs: number): void {
    if (JSON.stringify(summary) !== JSON.stringify(this.#alarms?.summary)) this.#sentMs.state = 0;
    this.#alarms = { summary, atMs: nowMs };
  }

  database(state: StateSection["database"]): void {
    this.#database = state;
  }

  /** Last products from before a start, as the database has them; late ones are rows only. */
  refill(products: readonly { product: ProductView; isHistorical: boolean }[]): void {
    for (const { product, isHistorical } of products)
      if (!this.#kept.some((kept) => kept.row.uid === product.uid)) this.#keep(product, isHistorical);
  }

  /** Call just before the database is asked for the shift's counts: what is taken from now on may or may not be in them. */
  beginRecount(): void {
    this.#sinceRecount = new Map();
  }

  /**
   * Puts the database's counts in place of our own.
   * @param result counts of `shift`, and the uids of the newest rows they include
   */
  recount(result: ShiftCounts): void {
    const since: ReadonlyMap<string, GradeLetter> = this.#sinceRecount ?? new Map();
    this.#sinceRecount = undefined;
    if (result.day !== this.#shift.day || result.shift !== this.#shift.name) return;
    const counted = new Set(result.newestUids);
    this.#counts = { ...emptyCounts(), ...result.counts };
    for (const [uid, grade] of since) if (!counted.has(uid)) this.#counts[grade] += 1;
    this.#complete = true;
    this.#dirty.add("shift");
  }

  /** Somebody wants the details of one of the last products. */
  inspect(uid: string): boolean {
    const product = this.#kept.find((kept) => kept.row.uid === uid)?.product;
    if (!product) return false;
    this.#inspected = product;
    this.#dirty.add("samples");
    return true;
  }

  /** The sections that changed and may be sent now; the heartbeat (`state`) comes each second. */
  due(nowMs: number): ViewSection[] {
    this.#turn(nowMs);
    if (this.#devices.expire(nowMs)) this.#dirty.add("devices");
    const sections: ViewSection[] = [];
    const { siteId: site, lineId: line, timeZone } = this.#settings;
    const stamp = { view: this.view, serverMs: nowMs, timeZone };
    if (this.liveInMs(nowMs) === 0) {
      this.#dirty.delete("live");
      this.#sentMs.live = nowMs;
      sections.push({ section: "live", ...stamp, product: this.#live && this.#references.beside(this.#live) });
    }
    if (this.#may("samples", nowMs)) {
      const rows = this.#kept.map((kept) => kept.row);
      const inspected = this.#inspected && this.#references.beside(this.#inspected);
      sections.push({ section: "samples", ...stamp, rows, ...(inspected && { inspected }) });
      this.#inspected = undefined;
    }
    if (this.#may("shift", nowMs)) sections.push({ section: "shift", ...stamp, ...this.#shiftFigures(nowMs) });
    if (this.#may("devices", nowMs)) {
      sections.push({ section: "devices", ...stamp, devices: this.#devices.list(nowMs) });
    }
    if (this.isStateDue(nowMs)) {
      this.#sentMs.state = nowMs;
      const figures = {
        database: this.#database,
        waiting: this.#waiting,
        quarantined: this.#quarantined,
        dataMs: this.#dataMs,
        ...(this.#alarms && nowMs - this.#alarms.atMs < ALARMS_SILENT_MS && { alarms: this.#alarms.summary }),
      };
      sections.push({ section: "state", ...stamp, site, line, ...figures });
    }
    return sections;
  }

  /** Whether `due` gives the heartbeat now: what it tells is then wanted. */
  isStateDue(nowMs: number): boolean {
    return nowMs - this.#sentMs.state >= STATE_EVERY_MS;
  }

  #may(section: keyof typeof SLOWEST_MS, nowMs: number): boolean {
    if (!this.#dirty.has(section) || nowMs - this.#sentMs[section] < SLOWEST_MS[section]) return false;
    this.#dirty.delete(section);
    this.#sentMs[section] = nowMs;
    return true;
  }

  /** Lists a product of the database's and, unless it is historical, shows it as the live one. */
  #keep(product: ProductView, isHistorical: boolean): void {
    this.#list(product, isHistorical, Number.POSITIVE_INFINITY);
    if (!isHistorical) this.#show(product, Number.POSITIVE_INFINITY);
  }

  #list(product: ProductView, isHistorical: boolean, nowMs: number): void {
    const { atMs } = product;
    this.#references.learn(product);
    // What seems to come from the future was there before the clock was set back: what comes now is newer.
    if (!isHistorical) for (const kept of this.#kept) if (kept.orderMs > nowMs) kept.orderMs = atMs;
    this.#kept.unshift({ row: rowOf(product, isHistorical), product, orderMs: atMs });
    this.#kept.sort((a, b) => b.orderMs - a.orderMs);
    this.#kept.length = Math.min(this.#kept.length, KEEP);
    this.#dirty.add("samples");
  }

  /** Makes a product the live one unless there is a newer one. */
  #show(product: ProductView, nowMs: number): void {
    const isNewer = this.#live === null || product.atMs > this.#live.atMs || this.#live.atMs > nowMs;
    if (!isNewer || product.uid === this.#live?.uid) return;
    this.#live = product;
    this.#liveFromMs = nowMs;
    this.#dirty.add("live");
  }

  #isOurs({ siteId, lineId }: { siteId: string; lineId: string }): boolean {
    return siteId === this.#settings.siteId && lineId === this.#settings.lineId;
  }

  #count(nowMs: number): void {
    const minute = minuteOf(nowMs);
    this.#perMinute.set(minute, (this.#perMinute.get(minute) ?? 0) + 1);
  }

  #shiftFigures(nowMs: number) {
    const { name: shift, day: productionDay, startMs } = this.#shift;
    const perHour = this.#perHour(nowMs);
    return { shift, productionDay, startMs, counts: { ...this.#counts }, perHour, complete: this.#complete };
  }

  #perHour(nowMs: number): number | null {
    const watchedMin = Math.min((nowMs - this.#startedMs) / MINUTE_MS, RATE_WINDOW_MIN);
    if (watchedMin < 1) return null;
    let products = 0;
    for (const count of this.#perMinute.values()) products += count;
    return Math.round((products / watchedMin) * 60);
  }

  /** The clock was set back: what was counted and sent by its old time begins anew. */
  #setBack(nowMs: number): void {
    this.#startedMs = nowMs;
    this.#perMinute.clear();
    this.#devices.setBack(nowMs);
    this.#sentMs = { live: 0, samples: 0, shift: 0, devices: 0, state: 0 };
    if (this.#dataMs !== null) this.#dataMs = Math.min(this.#dataMs, nowMs);
    if (this.#alarms) this.#alarms.atMs = Math.min(this.#alarms.atMs, nowMs);
    this.#dirty.add("shift").add("devices");
  }

  /** Moves on to the shift and minute of `nowMs`. */
  #turn(nowMs: number): void {
    if (nowMs < this.#nowMs - SET_BACK_MS) this.#setBack(nowMs);
    this.#nowMs = nowMs;
    if (minuteOf(nowMs) === this.#minute) return;
    this.#minute = minuteOf(nowMs);
    const oldest = this.#minute - RATE_WINDOW_MIN;
    for (const minute of this.#perMinute.keys()) {
      if (minute > oldest) continue;
      this.#perMinute.delete(minute);
      this.#dirty.add("shift");
    }
    const current = shiftOf(new Date(nowMs).toISOString(), this.#settings);
    if (current.shift === this.#shift.name && current.productionDay === this.#shift.day) return;
    this.#shift = shiftAt(this.#settings, nowMs);
    this.#counts = emptyCounts();
    this.#complete = true;
    this.#dirty.add("shift");
  }
}

const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS);

function emptyCounts(): Record<GradeLetter, number> {
  return { "A+": 0, A: 0, B: 0, C: 0, REJECT: 0 };
}

/** The shift at a moment and when it began, to the minute: by bisection, so that `shiftOf` alone knows the rules. */
export function shiftAt(
  settings: Pick<SiteSettings, "timeZone" | "shifts">,
  nowMs: number,
): { name: string; day: string; startMs: number } {
  const at = (ms: number) => shiftOf(new Date(ms).toISOString(), settings);
  const now = at(nowMs);
  let inside = minuteOf(nowMs);
  let outside = inside - 26 * 60;
  while (inside - outside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    const then = at(middle * MINUTE_MS);
    if (then.shift === now.shift && then.productionDay === now.productionDay) inside = middle;
    else outside = middle;
  }
  return { name: now.shift, day: now.productionDay, startMs: inside * MINUTE_MS };
}
