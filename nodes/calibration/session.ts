import type { SpectralCalibration, TofCalibration } from "../sample/calibration.ts";
import type { Sample, SpectralReading, TofFrame } from "../sample/sample.ts";
import { CHANNELS } from "../sample/units.ts";
import { type Chart, LEAST_PATCHES } from "./chart.ts";
import { type Finding, isAcceptable } from "./finding.ts";
import type { CalibrationStep, ResultView, SessionView } from "./page.ts";
import { darkOf, readingFindings, reflectanceOf, whiteOf } from "./spectral-record.ts";
import { tareOf } from "./tare.ts";

/** What a session needs to know besides the samples. */
export interface SessionSetup {
  deviceId: string;
  step: CalibrationStep;
  /** Samples to collect. */
  wanted: number;
  /** With this many after `patienceMs` it is enough: some devices send one sample per product. */
  least: number;
  patienceMs: number;
  fieldOfViewDeg: number;
  whiteReflectance: number;
  previousTof?: TofCalibration | undefined;
  dark?: Record<(typeof CHANNELS)[number], number> | undefined;
  /** Spectral record in force: what a chart's reflectances are made with. */
  spectral?: SpectralCalibration | undefined;
  chart: Chart;
}

/** What a step made of its samples. */
interface Outcome {
  findings: Finding[];
  result?: ResultView;
  tof?: TofCalibration;
  spectral?: SpectralCalibration;
  dark?: SessionSetup["dark"];
  reflectance?: number[];
}

/** One step on one device, from its start to its acceptance. Pure: the caller brings samples and the clock. */
export class Session {
  readonly setup: SessionSetup;
  phase: SessionView["phase"] = "collecting";
  error: string | undefined;
  saved: { version?: number; validUntil?: string } | undefined;
  /** Server's clock when the samples began to be collected, and when somebody last asked for something, ms. */
  startedMs: number;
  touchedMs: number;
  #lastMs: number;
  #frames: TofFrame[] = [];
  #readings: SpectralReading[] = [];
  #outcome: { taken: number; value: Outcome } | undefined;
  #patch = 0;
  readonly #patches = new Map<number, number[]>();

  constructor(setup: SessionSetup, nowMs: number, patch = 0) {
    this.setup = setup;
    this.startedMs = nowMs;
    this.touchedMs = nowMs;
    this.#lastMs = nowMs;
    this.#patch = patch;
  }

  /** Begins to collect another patch of the chart; those measured before are kept. */
  restart(nowMs: number, patch: number): void {
    this.phase = "collecting";
    this.error = undefined;
    this.startedMs = nowMs;
    this.#lastMs = nowMs;
    this.#patch = patch;
    this.#readings = [];
    this.#outcome = undefined;
  }

  get taken(): number {
    return this.setup.step === "tare" ? this.#frames.length : this.#readings.length;
  }

  /** Patches of the chart measured so far: reflectances F1…F8 by place in the chart. */
  get patches(): ReadonlyMap<number, number[]> {
    return this.#patches;
  }

  /** Takes a sample of the device while it collects; late ones say nothing of what lies there now. */
  take(sample: Sample, nowMs: number): void {
    if (this.phase !== "collecting" || sample.deviceId !== this.setup.deviceId || sample.isHistorical) return;
    if (this.setup.step === "tare") {
      const frame = sample.vl53l8ch?.frame;
      if (!frame) return;
      this.#frames.push(frame);
    } else {
      const reading = sample.as7341?.reading;
      if (!reading) return;
      this.#readings.push(reading);
    }
    this.#lastMs = nowMs;
    if (this.taken >= this.setup.wanted) this.#finish();
  }

  /** Ends collecting when it has lasted long enough with enough samples. */
  tick(nowMs: number): void {
    const { least, patienceMs } = this.setup;
    if (this.phase === "collecting" && this.taken >= least && nowMs - this.startedMs >= patienceMs) this.#finish();
  }

  /** What the samples so far give. */
  outcome(): Outcome {
    if (this.#outcome?.taken !== this.taken) this.#outcome = { taken: this.taken, value: this.#evaluate() };
    return this.#outcome.value;
  }

  acceptable(): boolean {
    if (this.phase !== "review") return false;
    if (this.setup.step === "chart") return this.#patches.size >= LEAST_PATCHES;
    return isAcceptable(this.outcome().findings);
  }

  view(nowMs: number): SessionView {
    const { deviceId, step, wanted, chart } = this.setup;
    const { findings, result } = this.taken > 0 ? this.outcome() : { findings: [], result: undefined };
    return {
      device: deviceId,
      step,
      phase: this.phase,
      taken: this.taken,
      wanted,
      idleMs: this.phase === "collecting" ? Math.max(0, nowMs - this.#lastMs) : 0,
      findings,
      acceptable: this.acceptable(),
      ...(result && { result }),
      ...(this.error !== undefined && { error: this.error }),
      ...(this.saved?.version !== undefined && { savedVersion: this.saved.version }),
      ...(this.saved?.validUntil !== undefined && { validUntil: this.saved.validUntil }),
      ...(step === "chart" && {
        chart: {
          name: chart.name,
          patches: chart.patches.map(({ name }) => name),
          patch: this.#patch,
          done: chart.patches.map((_, index) => this.#patches.has(index)),
          needed: LEAST_PATCHES,
        },
      }),
    };
  }

  #finish(): void {
    this.phase = "review";
    const { reflectance, findings } = this.outcome();
    if (reflectance && isAcceptable(findings)) this.#patches.set(this.#patch, reflectance);
  }

  #evaluate(): Outcome {
    const { step, fieldOfViewDeg, previousTof, dark, whiteReflectance, spectral } = this.setup;
    if (step === "tare") {
      const { tof, findings, ...figures } = tareOf(this.#frames, fieldOfViewDeg, previousTof);
      if (!tof) return { findings };
      const { residualRmsMm = 0, residualMaxMm = 0, sigmaMm = 0, viewSideMm = 0 } = figures;
      const { sensorHeightMm: heightMm, tiltXDeg, tiltYDeg } = tof;
      const result: ResultView = {
        figures: { heightMm, tiltXDeg, tiltYDeg, sigmaMm, residualRmsMm, residualMaxMm, viewSideMm },
        zonesMm: tof.beltDistanceMm.map((mm) => Math.round(mm * 10) / 10),
        side: tof.side,
      };
      return { findings, tof, result };
    }
    if (step === "dark") {
      const { darkBasicCounts, fullScaleShare = 0, findings } = darkOf(this.#readings);
      if (!darkBasicCounts) return { findings };
      const channels = CHANNELS.map((channel) => darkBasicCounts[channel]);
      return {
        findings,
        dark: darkBasicCounts,
        result: { figures: { fullScalePercent: 100 * fullScaleShare }, channels },
      };
    }
    if (step === "white") {
      const { spectral: made, findings, ...figures } = whiteOf(this.#readings, dark, whiteReflectance);
      const { fullScaleShare = 0, noise = 0, drift = 0 } = figures;
      return {
        findings,
        ...(made && {
          spectral: made,
          result: {
            figures: { fullScalePercent: 100 * fullScaleShare, noisePercent: 100 * noise, driftPercent: 100 * drift },
            channels: CHANNELS.map((channel) => made.whiteBasicCounts[channel]),
          },
        }),
      };
    }
    const findings = readingFindings(this.#readings);
    const reflectance = spectral && reflectanceOf(this.#readings, spectral);
    if (!reflectance) return { findings };
    return { findings, reflectance, result: { figures: {}, channels: reflectance } };
  }
}
