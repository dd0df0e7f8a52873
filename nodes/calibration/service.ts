import { CodedError, messageOf } from "../host/errors.ts";
import { acquire, type Lease } from "../host/service.ts";
import type { Calibration } from "../sample/calibration.ts";
import type { Sample } from "../sample/sample.ts";
import type { Database } from "../timescaledb/database.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { type CalibrationDraft, checkDraft } from "./record.ts";
import { insertNext, loadSite } from "./store.ts";
import { type Moment, Timeline } from "./timeline.ts";

/** A device as the calibration rooms know it. */
export interface SeenDevice {
  deviceId: string;
  lineId: string;
  /** When a sample came last, the server's clock, ms since the epoch. */
  seenMs: number;
  hasTof: boolean;
  hasSpectral: boolean;
}

/** `unknown`: the records could not be read in time; it goes on being tried. */
export type LoadState = "loading" | "ready" | "unknown";

/** Longest time samples wait for the records, ms. */
export const FIRST_LOAD_MS = 10_000;
const RETRY_MS = 5_000;
/** Another process may have written a record. */
const RELOAD_MS = 60_000;
const MAX_DEVICES = 256;
/** A part that ends within this is expiring, ms. */
export const WARN_MS = 24 * 3_600_000;

/** The process's calibration records of one site: loaded once, kept up to date, asked per sample without waiting. */
export class Calibrations {
  readonly siteId: string;
  readonly #timeline = new Timeline(WARN_MS);
  readonly #seen = new Map<string, SeenDevice>();
  readonly #watched = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #firstLoadMs: number;
  #database: Promise<Database> | undefined;
  #stopWatching: (() => void) | undefined;
  #state: LoadState = "loading";
  #problem: string | undefined;
  #loading = false;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #closed = false;
  #settle: () => void = () => undefined;
  /** Written while a load was under way, which may not have seen them. */
  #added: Calibration[] = [];
  /** Resolves with the first load, or when it was waited for long enough; never rejects. */
  readonly settled: Promise<void>;

  constructor(siteId: string, firstLoadMs = FIRST_LOAD_MS) {
    this.siteId = siteId;
    this.#firstLoadMs = firstLoadMs;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get state(): LoadState {
    return this.#state;
  }

  /** Why the records could not be read, as last seen. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads from this database from now on (a deploy may bring another promise of the same one). */
  use(database: Promise<Database>): void {
    if (this.#database === database) return;
    const previous = this.#database;
    this.#database = database;
    this.#deadline ??= setTimeout(() => this.#giveUp(), this.#firstLoadMs).unref();
    database.then(
      (opened) => {
        if (this.#closed || this.#database !== database) return;
        this.#stopWatching?.();
        this.#stopWatching = opened.onState((state) => {
          if (state === "ready") void this.reload();
        });
        void this.reload();
      },
      (error) => {
        if (this.#database !== database) return;
        // One node without a database must not take it from the others.
        this.#database = previous ?? database;
        this.#problem = messageOf(error);
        this.#giveUp();
      },
    );
  }

  /** How a device stood at a moment; all `unknown` while the records could not be read. */
  at(deviceId: string, measuredAt: string): Moment {
    return this.#state === "ready" ? this.#timeline.at(deviceId, Date.parse(measuredAt)) : UNKNOWN;
  }

  records(deviceId: string): readonly Calibration[] {
    return this.#timeline.records(deviceId);
  }

  /** Devices seen, and those that only have records, by id. */
  devices(): SeenDevice[] {
    const known = new Map(this.#seen);
    for (const deviceId of this.#timeline.devices()) {
      if (known.has(deviceId) || known.size >= MAX_DEVICES) continue;
      known.set(deviceId, { deviceId, lineId: "", seenMs: 0, hasTof: false, hasSpectral: false });
    }
    return [...known.values()].sort((a, b) => a.deviceId.localeCompare(b.deviceId, "en", { numeric: true }));
  }

  /** Notes the device a sample came from; the longest silent of too many is forgotten. */
  see(sample: Pick<Sample, "deviceId" | "lineId" | "vl53l8ch" | "as7341">, nowMs: number): void {
    const { deviceId, lineId } = sample;
    const before = this.#seen.get(deviceId);
    this.#seen.delete(deviceId); // to the end: the map's order is that of the last sample
    this.#seen.set(deviceId, {
      deviceId,
      lineId,
      seenMs: nowMs,
      hasTof: before?.hasTof === true || sample.vl53l8ch !== undefined,
      hasSpectral: before?.hasSpectral === true || sample.as7341 !== undefined,
    });
    if (this.#seen.size <= MAX_DEVICES) return;
    const [longestSilent] = this.#seen.keys();
    if (longestSilent !== undefined) this.#seen.delete(longestSilent);
  }

  /** Has the samples of a device given to the guided step until the returned function is called. */
  watch(deviceId: string): () => void {
    this.#watched.set(deviceId, (this.#watched.get(deviceId) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#watched.get(deviceId) ?? 1) - 1;
      if (left > 0) this.#watched.set(deviceId, left);
      else this.#watched.delete(deviceId);
    };
  }

  isWatched(deviceId: string): boolean {
    return this.#watched.has(deviceId);
  }

  /**
   * Writes a record; it is in force here when this resolves.
   * @throws CodedError of `checkDraft`, or what the database answered
   */
  async add(draft: CalibrationDraft): Promise<Calibration> {
    const checked = checkDraft(draft);
    const database = await this.#database;
    if (!database) throw new CodedError("no-database", "no database is chosen");
    try {
      const stored = await inTransaction(database.pool, (client) => insertNext(client, this.siteId, checked), {
        deadlineMs: 15_000,
      });
      this.#timeline.add(stored);
      this.#added.push(stored);
      this.#tell();
      return stored;
    } catch (error) {
      if (!(error instanceof CodedError)) database.reportFailure(error);
      throw error;
    }
  }

  /** Calls back when records or the state of loading changed. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Reads the records again; a failure leaves what is there and is tried again. */
  async reload(): Promise<void> {
    if (this.#loading || this.#closed) return;
    this.#loading = true;
    clearTimeout(this.#timer);
    this.#added = [];
    let next = RELOAD_MS;
    try {
      const database = await this.#database;
      if (database?.state() !== "ready") throw new Error("the database is not ready");
      const { records, unreadable } = await loadSite(database.pool, this.siteId);
      if (this.#closed) return;
      this.#timeline.replace(records);
      for (const record of this.#added) this.#timeline.add(record);
      this.#problem = unreadable.length > 0 ? `unreadable: ${unreadable.slice(0, 5).join(", ")}` : undefined;
      this.#state = "ready";
      this.#settle();
    } catch (error) {
      this.#problem = messageOf(error);
      if (this.#state !== "ready") next = RETRY_MS;
    } finally {
      this.#loading = false;
      if (!this.#closed) this.#timer = setTimeout(() => void this.reload(), next).unref();
      this.#tell();
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching?.();
    clearTimeout(this.#timer);
    clearTimeout(this.#deadline);
    this.#settle();
    this.#listeners.clear();
  }

  #giveUp(): void {
    if (this.#state !== "loading") return;
    this.#state = "unknown";
    this.#settle();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const UNKNOWN: Moment = { state: { tof: "unknown", spectral: "unknown" } };

/** Takes a share in the process's calibration records of a site. */
export function calibrationsOf(siteId: string): Lease<Calibrations> {
  return acquire(
    `calibrations:${siteId}`,
    () => new Calibrations(siteId),
    (calibrations) => calibrations.close(),
  );
}
