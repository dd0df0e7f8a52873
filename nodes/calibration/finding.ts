/** Something a check found. An `error` keeps a result from being accepted; a `warning` is for the person to weigh. */
export interface Finding {
  /** Stable code; the screens have words for each. */
  code: FindingCode;
  severity: "error" | "warning";
  /** Figures of the words: what was found and what is allowed, by name, unit at its end. */
  values: Record<string, number>;
  /** Names of channels the finding is about. */
  channels?: string[];
}

export const FINDING_CODES = [
  // tare
  "no-frames",
  "mixed-resolution",
  "zones-invalid",
  "belt-not-empty",
  "belt-not-flat",
  "belt-unsteady",
  "height-implausible",
  "tilt-implausible",
  "view-too-small",
  "height-changed",
  // spectral
  "no-readings",
  "no-timing",
  "saturated",
  "reconstructed",
  "unsteady-light",
  "dark-too-bright",
  "white-too-dark",
  "white-not-above-dark",
  "dark-missing",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/** Whether a result with these findings may be accepted. */
export function isAcceptable(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity !== "error");
}
