import { darkOf, whiteOf } from "../../nodes/calibration/spectral-record.ts";
import { tareOf } from "../../nodes/calibration/tare.ts";
import type { Calibration } from "../../nodes/sample/calibration.ts";
import { type BeltStation, WHITE_REFLECTANCE } from "./belt.ts";
import { readingOf } from "./belt-spectrum.ts";

/** Frames or readings of each step, as an operator's guided calibration takes them. */
const TAKES = 60;

/**
 * The record that a guided calibration of a station ends with: tare on the empty belt, dark, white.
 * @throws Error with the finding's code when a step is refused
 */
export function calibrateStation(
  station: BeltStation,
  deviceId: string,
  validFrom = "2026-01-01T00:00:00Z",
): Calibration {
  const readings = (take: () => Parameters<typeof readingOf>[0]) =>
    Array.from({ length: TAKES }, () => readingOf(take()));
  const tare = tareOf(station.emptyBelt(TAKES), 45);
  const dark = darkOf(readings(() => station.darkReading()));
  const white = whiteOf(
    readings(() => station.whiteReading()),
    dark.darkBasicCounts,
    WHITE_REFLECTANCE,
  );
  const refused = [tare, dark, white].flatMap(({ findings }) => findings).find(({ severity }) => severity === "error");
  if (refused || !tare.tof || !white.spectral) throw new Error(`calibration refused: ${refused?.code ?? "incomplete"}`);
  return {
    calibrationId: `${deviceId}-simulated`,
    deviceId,
    version: 1,
    validFrom,
    validUntil: "2100-01-01T00:00:00Z",
    madeBy: "simulator",
    reason: "simulated guided calibration",
    tof: tare.tof,
    spectral: white.spectral,
  };
}
