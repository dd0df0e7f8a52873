import { CodedError } from "../host/errors.ts";
import { acquire, type Lease } from "../host/service.ts";
import type { Calibration } from "../sample/calibration.ts";
import type { Sample } from "../sample/sample.ts";
import type { Database } from "../timescaledb/database.ts";
import { KeptRecords } from "../timescaledb/kept-records.ts";
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

const MAX_DEVICES = 256;
/** A part that ends within this is expiring, ms. */
export const WARN_MS = 24 * 3_600_000;

/** The process's calibration records of one site: loaded once, kept up to date, asked per sample without waiting. */
export class Calibrations extends KeptRecords {
  readonly #timeline = new Timeline(WARN_MS);
  readonly #seen = new Map<string, SeenDevice>();
  readonly #watched = new Map<string, number>();
  /** Written while a load was under way, which may not have seen them. */
  #added: Calibration[] = [];

  protected async load(database: Database): Promise<() => string | undefined> {
    this.#added = [];
    const { records, unreadable } = await loadSite(database.pool, this.siteId);
    return () => {
      this.#timeline.replace(records);
      for (const record of this.#added) this.#timeline.add(record);
      return unreadable.length > 0 ? `unreadable: ${unreadable.slice(0, 5).join(", ")}` : undefined;
    };
  }

  /** How a device stood at a moment; all `unknown` while the records could not be read. */
  at(deviceId: string, measuredAt: string): Moment {
    return this.state === "ready" ? this.#timeline.at(deviceId, Date.parse(measuredAt)) : UNKNOWN;
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
    const database = await this.database();
    try {
      const stored = await inTransaction(database.pool, (client) => insertNext(client, this.siteId, checked), {
        deadlineMs: 15_000,
      });
      this.#timeline.add(stored);
      this.#added.push(stored);
      this.tell();
      return stored;
    } catch (error) {
      if (!(error instanceof CodedError)) database.reportFailure(error);
      throw error;
    }
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
