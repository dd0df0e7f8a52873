/** What passes between the guided step and its page. Types and names only: the screens bundle this module. */
import type { CalibrationPart, CalibrationState } from "../sample/calibration.ts";
import type { Finding } from "./finding.ts";

/** The steps of a calibration, as a person takes them: the tare; dark, then white, then (if colour is wanted) a chart. */
export const STEPS = ["tare", "dark", "white", "chart"] as const;
export type CalibrationStep = (typeof STEPS)[number];

export interface PartView {
  state: CalibrationState;
  version?: number;
  validFrom?: string;
  validUntil?: string;
  madeBy?: string;
  reason?: string;
}

export interface CalibratedDevice {
  id: string;
  line: string;
  /** Last sample, ms since the epoch; 0: none since the start. */
  seenMs: number;
  hasTof: boolean;
  hasSpectral: boolean;
  parts: Record<CalibrationPart, PartView>;
  /** The spectral record in force has a colour matrix. */
  hasMatrix: boolean;
}

/** What a step has found so far. */
export interface ResultView {
  /** Named figures, each with its unit at the end of its name. */
  figures: Record<string, number>;
  /** Per zone, row-major: distance in mm (tare). */
  zonesMm?: number[];
  side?: number;
  /** Basic counts in the order of the channels (dark, white), or reflectance F1…F8 (chart). */
  channels?: number[];
}

export interface SessionView {
  device: string;
  step: CalibrationStep;
  /** `collecting`: samples come in; `review`: to be accepted or not; `saving`, `saved`; `failed`: see `error`. */
  phase: "collecting" | "review" | "saving" | "saved" | "failed";
  taken: number;
  wanted: number;
  /** How long no sample has come, ms. */
  idleMs: number;
  findings: Finding[];
  acceptable: boolean;
  result?: ResultView;
  /** Stable code of what went wrong. */
  error?: string;
  /** Version of the record that was written; absent where the step's result waits for the next step. */
  savedVersion?: number;
  validUntil?: string;
  chart?: { name: string; patches: string[]; patch: number; done: boolean[]; needed: number };
}

export interface CalibrationSection {
  section: "calibration";
  /** The site. */
  view: string;
  serverMs: number;
  timeZone: string;
  /** Whether the records could be read. */
  records: "loading" | "ready" | "unknown";
  devices: CalibratedDevice[];
  sessions: SessionView[];
  defaults: { validDays: Record<CalibrationPart, number>; maxValidDays: number; whiteReflectance: number };
}

/** What a person asks for on the page. */
export interface CalibrationAction {
  action: "calibration.start" | "calibration.accept" | "calibration.cancel";
  device: string;
  step?: CalibrationStep;
  /** Who signed in; what a page says here does not count. */
  madeBy?: string;
  reason?: string;
  validDays?: number;
  whiteReflectance?: number;
  /** Which patch of the chart lies under the sensor. */
  patch?: number;
}

/** Which part of a record a step makes. */
export const PART_OF_STEP: Readonly<Record<CalibrationStep, CalibrationPart>> = {
  tare: "tof",
  dark: "spectral",
  white: "spectral",
  chart: "spectral",
};
