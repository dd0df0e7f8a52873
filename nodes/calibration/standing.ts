import type { CalibrationPart } from "../sample/calibration.ts";
import type { CalibratedDevice, PartView } from "./page.ts";
import type { Calibrations, SeenDevice } from "./service.ts";
import { PARTS, validityOf } from "./validity.ts";

/** Devices that sent nothing for this long are not counted as being on the line, ms. */
const ON_LINE_MS = 15 * 60_000;

/** How the devices on the line stand: how many lack a valid part that they measure, and how many will soon. */
export function standingOf(
  calibrations: Calibrations,
  nowMs: number,
): { devices: number; without: number; expiring: number } {
  let [devices, without, expiring] = [0, 0, 0];
  for (const device of calibrations.devices()) {
    if (nowMs - device.seenMs > ON_LINE_MS) continue;
    devices += 1;
    const { state } = calibrations.at(device.deviceId, new Date(nowMs).toISOString());
    const states = partsOf(device).map((part) => state[part]);
    if (states.some((one) => one !== "valid" && one !== "expiring")) without += 1;
    else if (states.includes("expiring")) expiring += 1;
  }
  return { devices, without, expiring };
}

/** The parts that a device needs: of the sensors it has. */
export function partsOf(device: SeenDevice): CalibrationPart[] {
  return PARTS.filter((part) => (part === "tof" ? device.hasTof : device.hasSpectral));
}

/** A device as the page shows it. */
export function deviceView(
  calibrations: Calibrations,
  device: SeenDevice,
  nowMs: number,
  warnMs: number,
): CalibratedDevice {
  const records = calibrations.records(device.deviceId);
  const partView = (part: CalibrationPart): PartView => {
    if (calibrations.state !== "ready") return { state: "unknown" };
    const { state, record } = validityOf(records, part, nowMs, warnMs);
    if (!record) return { state };
    const { version, validFrom, validUntil, madeBy, reason } = record;
    return { state, version, validFrom, validUntil, madeBy, reason: reason.slice(0, 120) };
  };
  const spectral = validityOf(records, "spectral", nowMs).record?.spectral;
  return {
    id: device.deviceId,
    line: device.lineId,
    seenMs: device.seenMs,
    hasTof: device.hasTof,
    hasSpectral: device.hasSpectral,
    parts: { tof: partView("tof"), spectral: partView("spectral") },
    hasMatrix: spectral?.colorMatrix !== undefined,
  };
}
