import type { Calibration, CalibrationPart, CalibrationState } from "../sample/calibration.ts";

export const PARTS: readonly CalibrationPart[] = ["tof", "spectral"];

/** Figures that are uncalibrated without a valid part: names the screens have words for. */
export const AFFECTED: Readonly<Record<CalibrationPart, readonly string[]>> = {
  tof: ["height", "volume", "mass", "dimensions", "dents"],
  spectral: ["reflectance", "color", "deltaE", "indices"],
};

/** How one part of a device's calibration stands at a moment. */
export interface PartValidity {
  state: Exclude<CalibrationState, "unknown">;
  /** The record that is, or was last, in force; absent when there is none. */
  record?: Calibration;
}

/**
 * The newest record with a part that had begun by `atMs`: later versions replace earlier ones from their `validFrom` on,
 * also when the later one ends first.
 */
export function currentRecord(
  records: readonly Calibration[],
  part: CalibrationPart,
  atMs: number,
): Calibration | undefined {
  let current: Calibration | undefined;
  for (const record of records) {
    if (!record[part] || Date.parse(record.validFrom) > atMs) continue;
    if (!current || record.version > current.version) current = record;
  }
  return current;
}

/** How a part stands at `atMs`; `expiring` from `warnMs` before the end. */
export function validityOf(
  records: readonly Calibration[],
  part: CalibrationPart,
  atMs: number,
  warnMs = 0,
): PartValidity {
  const record = currentRecord(records, part, atMs);
  if (!record) return { state: "missing" };
  const endMs = Date.parse(record.validUntil);
  if (atMs >= endMs) return { state: "expired", record };
  return { state: atMs >= endMs - warnMs ? "expiring" : "valid", record };
}

/**
 * The calibration in force at a moment, each part from the newest record that has it. Where the parts come from two
 * records the result carries both ids (newest first, joined by `+`), the newer one's version, maker and reason, and the
 * time in which both are in force.
 * @returns undefined when no part is in force
 */
export function inForce(records: readonly Calibration[], atMs: number): Calibration | undefined {
  const [tof, spectral] = PARTS.map((part) => {
    const { state, record } = validityOf(records, part, atMs);
    return state === "valid" || state === "expiring" ? record : undefined;
  });
  if (!tof || !spectral) {
    const only = tof ?? spectral;
    if (!only) return undefined;
    // The record's other part may have ended, or been replaced, in the meantime.
    const { tof: itsTof, spectral: itsSpectral, ...head } = only;
    return {
      ...head,
      ...(tof && itsTof && { tof: itsTof }),
      ...(spectral && itsSpectral && { spectral: itsSpectral }),
    };
  }
  if (tof.version === spectral.version) return tof;
  const [newer, older] = tof.version > spectral.version ? [tof, spectral] : [spectral, tof];
  return {
    ...newer,
    calibrationId: `${newer.calibrationId}+${older.calibrationId}`,
    validFrom: laterOf(newer.validFrom, older.validFrom),
    validUntil: earlierOf(newer.validUntil, older.validUntil),
    ...(tof.tof && { tof: tof.tof }),
    ...(spectral.spectral && { spectral: spectral.spectral }),
  };
}

const laterOf = (a: string, b: string) => (Date.parse(a) >= Date.parse(b) ? a : b);
const earlierOf = (a: string, b: string) => (Date.parse(a) <= Date.parse(b) ? a : b);
