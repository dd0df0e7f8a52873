import type { AlarmUnit, Priority, RuleType } from "./page.ts";

/** How a rule judges its value, before anybody changed its limit. */
export interface RuleDefaults {
  unit: AlarmUnit;
  priority: Priority;
  limit: number;
  /** What a limit may be. */
  min: number;
  max: number;
  side: "above" | "below";
  /** In the value's unit, for the limit given; it grows and shrinks with the limit. */
  deadband: number;
  onDelayMs: number;
  offDelayMs: number;
}

/**
 * The rules' defaults, ours: few alarms, each with something to do about it. Delays of seconds suit values that are read
 * every second or two.
 */
export const RULES: Readonly<Record<RuleType, RuleDefaults>> = {
  // Seconds since a device gave its last sign of life.
  "device-silent": rule("s", "high", 30, 2, 86_400, 0, 0, 2000),
  // Share of a device's last readings with a saturated channel or a spoilt distance frame.
  saturation: rule("%", "medium", 20, 0, 100, 5, 5000, 5000),
  // Share of a device's last samples without a calibration in force.
  uncalibrated: rule("%", "medium", 50, 0, 100, 10, 5000, 5000),
  // Share of the line's last products graded REJECT.
  "reject-rate": rule("%", "high", 20, 0, 100, 5, 0, 10_000),
  // How far the last products' mean is from the mean of those before: points of the score (of 100), mm.
  "drift-score": rule("points", "medium", 10, 0.5, 100, 2, 10_000, 10_000),
  "drift-thickness": rule("mm", "medium", 5, 0.1, 100, 1, 10_000, 10_000),
  // Age of the oldest message that is not stored.
  "backlog-age": rule("s", "high", 60, 1, 86_400, 20, 0, 5000),
  // How long the database has been out of reach.
  "database-away": rule("s", "high", 2, 0, 3600, 0, 0, 10_000),
  "disk-low": rule("MiB", "high", 2048, 64, 1_000_000, 256, 5000, 30_000, "below"),
  // Messages not taken in the last minute because the inbox or the disk is full.
  "inbox-refusing": rule("messages", "critical", 0, 0, 100_000, 0, 0, 10_000),
};

function rule(
  unit: AlarmUnit,
  priority: Priority,
  limit: number,
  min: number,
  max: number,
  deadband: number,
  onDelayMs: number,
  offDelayMs: number,
  side: RuleDefaults["side"] = "above",
): RuleDefaults {
  return { unit, priority, limit, min, max, side, deadband, onDelayMs, offDelayMs };
}
