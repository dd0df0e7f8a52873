import type { Calibration, CalibrationPart, CalibrationState } from "../sample/calibration.ts";
import { inForce, PARTS, validityOf } from "./validity.ts";

/** What a moment of one device is judged by. */
export interface Moment {
  calibration?: Calibration;
  state: Record<CalibrationPart, CalibrationState>;
}

interface Stretch extends Moment {
  fromMs: number;
  untilMs: number;
}

/**
 * The records of one site by device, asked once per sample. Between two ends or beginnings of records the answer is the
 * same, so the last one is kept and given again, the same object.
 */
export class Timeline {
  readonly #warnMs: number;
  #byDevice = new Map<string, Calibration[]>();
  readonly #last = new Map<string, Stretch>();

  /** @param warnMs how long before its end a part counts as expiring */
  constructor(warnMs: number) {
    this.#warnMs = warnMs;
  }

  /** Puts other records in place of all. */
  replace(records: readonly Calibration[]): void {
    this.#byDevice = new Map();
    for (const record of records) {
      const known = this.#byDevice.get(record.deviceId);
      if (known) known.push(record);
      else this.#byDevice.set(record.deviceId, [record]);
    }
    this.#last.clear();
  }

  add(record: Calibration): void {
    const known = this.#byDevice.get(record.deviceId) ?? [];
    if (known.some(({ version }) => version === record.version)) return;
    this.#byDevice.set(record.deviceId, [record, ...known]);
    this.#last.delete(record.deviceId);
  }

  records(deviceId: string): readonly Calibration[] {
    return this.#byDevice.get(deviceId) ?? [];
  }

  devices(): string[] {
    return [...this.#byDevice.keys()];
  }

  at(deviceId: string, atMs: number): Moment {
    const records = this.#byDevice.get(deviceId);
    if (!records) return NONE;
    const last = this.#last.get(deviceId);
    if (last && atMs >= last.fromMs && atMs < last.untilMs) return last;
    const stretch = this.#stretch(records, atMs);
    this.#last.set(deviceId, stretch);
    return stretch;
  }

  #stretch(records: readonly Calibration[], atMs: number): Stretch {
    let fromMs = Number.NEGATIVE_INFINITY;
    let untilMs = Number.POSITIVE_INFINITY;
    for (const { validFrom, validUntil } of records) {
      const endMs = Date.parse(validUntil);
      for (const edgeMs of [Date.parse(validFrom), endMs, endMs - this.#warnMs]) {
        if (edgeMs <= atMs) fromMs = Math.max(fromMs, edgeMs);
        else untilMs = Math.min(untilMs, edgeMs);
      }
    }
    const calibration = inForce(records, atMs);
    const [tof, spectral] = PARTS.map((part) => validityOf(records, part, atMs, this.#warnMs).state);
    const state = { tof: tof ?? "missing", spectral: spectral ?? "missing" };
    return { fromMs, untilMs, state, ...(calibration && { calibration }) };
  }
}

const NONE: Moment = { state: { tof: "missing", spectral: "missing" } };
