import Type from "typebox";
import { Compile } from "typebox/compile";
import { CodedError, codeOf } from "../host/errors.ts";
import type { Calibration, CalibrationPart, SpectralCalibration } from "../sample/calibration.ts";
import type { Sample } from "../sample/sample.ts";
import type { Chart } from "./chart.ts";
import { type CalibrationAction, PART_OF_STEP, type SessionView, STEPS } from "./page.ts";
import type { CalibrationDraft } from "./record.ts";
import { Session, type SessionSetup } from "./session.ts";
import { currentRecord, validityOf } from "./validity.ts";

type Matrix = NonNullable<SpectralCalibration["colorMatrix"]>;
/** Fits XYZ from reflectances F1…F8; one entry per patch. */
export type FitMatrix = (
  patches: { reflectance: number[]; xyz: readonly [number, number, number] }[],
) => Omit<Matrix, "chart">;

export interface GuideOptions {
  /** Samples of one step. */
  wanted: number;
  fieldOfViewDeg: number;
  whiteReflectance: number;
  validDays: Record<CalibrationPart, number>;
  chart: Chart;
  records(deviceId: string): readonly Calibration[];
  /** Writes a record; rejects with a coded error. */
  save(draft: CalibrationDraft): Promise<Calibration>;
  /** Has the device's samples given to `take` until the returned function is called. */
  watch(deviceId: string): () => void;
  fitMatrix: FitMatrix;
}

const MAX_SESSIONS = 8;
const MAX_DARKS = 64;
/** A session nobody has touched for this long is given up; so is a dark reading that was not followed by a white one. */
const FORGET_MS = 15 * 60_000;
const DARK_MS = 60 * 60_000;
const LEAST_SAMPLES = 20;
const PATIENCE_MS = 20_000;
const DAY_MS = 86_400_000;
/** Mean colour difference of the fit above which a matrix is no use. */
const MAX_MEAN_DELTA_E = 6;

const Text = (max: number) => Type.Optional(Type.String({ maxLength: max }));
const Action = Compile(
  Type.Object({
    action: Type.Union([
      Type.Literal("calibration.start"),
      Type.Literal("calibration.accept"),
      Type.Literal("calibration.cancel"),
    ]),
    device: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    step: Type.Optional(Type.Union(STEPS.map((step) => Type.Literal(step)))),
    madeBy: Text(200),
    reason: Text(1000),
    validDays: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 366 })),
    whiteReflectance: Type.Optional(Type.Number({ minimum: 0.05, maximum: 1.2 })),
    patch: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  }),
);

/** Whether a message's payload is meant for the guided step. */
export function isCalibrationAction(payload: unknown): payload is CalibrationAction {
  return Action.Check(payload);
}

/** Leads people through the steps, on several devices at once. Pure but for what the options do. */
export class Guide {
  readonly #options: GuideOptions;
  readonly #sessions = new Map<string, { session: Session; stopWatching: () => void }>();
  readonly #darks = new Map<string, { dark: NonNullable<SessionSetup["dark"]>; atMs: number }>();

  constructor(options: GuideOptions) {
    this.#options = options;
  }

  /**
   * Does what a person asked for. What goes wrong is said on the device's session where there is one.
   * @returns the record, when one was written
   * @throws CodedError `calibration-bad-action`, `calibration-no-session`, `calibration-busy`, `calibration-white-missing`
   */
  async act(action: CalibrationAction, nowMs: number): Promise<Calibration | undefined> {
    if (action.action === "calibration.cancel") {
      this.#end(action.device);
      return undefined;
    }
    if (action.action === "calibration.start") {
      this.#start(action, nowMs);
      return undefined;
    }
    const held = this.#sessions.get(action.device);
    if (!held) throw new CodedError("calibration-no-session", `nothing was started on ${action.device}`);
    return this.#accept(held.session, action, nowMs);
  }

  take(sample: Sample, nowMs: number): void {
    this.#sessions.get(sample.deviceId)?.session.take(sample, nowMs);
  }

  sessions(nowMs: number): SessionView[] {
    for (const [deviceId, { session }] of this.#sessions) {
      session.tick(nowMs);
      if (nowMs - session.touchedMs > FORGET_MS && session.phase !== "saving") this.#end(deviceId);
    }
    return [...this.#sessions.values()].map(({ session }) => session.view(nowMs));
  }

  close(): void {
    for (const deviceId of [...this.#sessions.keys()]) this.#end(deviceId);
  }

  #start(action: CalibrationAction, nowMs: number): void {
    const { device, step, patch = 0 } = action;
    if (!step) throw new CodedError("calibration-bad-action", "no step is named");
    const { chart, records, wanted, fieldOfViewDeg, whiteReflectance, watch } = this.#options;
    if (step === "chart" && patch >= chart.patches.length) {
      throw new CodedError("calibration-bad-action", `${chart.name} has ${chart.patches.length} patches`);
    }
    const running = this.#sessions.get(device)?.session;
    if (running?.phase === "saving") throw new CodedError("calibration-busy", `a record of ${device} is being written`);
    if (running && step === "chart" && running.setup.step === "chart" && running.phase !== "saved") {
      running.touchedMs = nowMs;
      running.restart(nowMs, patch);
      return;
    }
    const spectral = validityOf(records(device), "spectral", nowMs);
    if (step === "chart" && (spectral.state === "missing" || spectral.state === "expired")) {
      throw new CodedError("calibration-white-missing", `${device} has no white reading in force`);
    }
    this.#end(device);
    if (this.#sessions.size >= MAX_SESSIONS) throw new CodedError("calibration-busy", "too many steps at once");
    const session = new Session(
      {
        deviceId: device,
        step,
        wanted,
        least: Math.min(wanted, LEAST_SAMPLES),
        patienceMs: PATIENCE_MS,
        fieldOfViewDeg,
        whiteReflectance: action.whiteReflectance ?? whiteReflectance,
        previousTof: currentRecord(records(device), "tof", nowMs)?.tof,
        dark: this.#darkOf(device, nowMs),
        spectral: spectral.record?.spectral,
        chart,
      },
      nowMs,
      patch,
    );
    this.#sessions.set(device, { session, stopWatching: watch(device) });
  }

  async #accept(session: Session, action: CalibrationAction, nowMs: number): Promise<Calibration | undefined> {
    session.touchedMs = nowMs;
    session.error = undefined;
    if (session.phase !== "review") return undefined; // a second tap
    const { deviceId, step } = session.setup;
    try {
      if (!session.acceptable())
        throw new CodedError("calibration-not-acceptable", `${step} of ${deviceId} is not sound`);
      if (step === "dark") {
        this.#keepDark(deviceId, session.outcome().dark, nowMs);
        session.phase = "saved";
        session.saved = {};
        return undefined;
      }
      const part = this.#partOf(session);
      const days = action.validDays ?? this.#options.validDays[PART_OF_STEP[step]];
      session.phase = "saving";
      const stored = await this.#options.save({
        deviceId,
        validFrom: new Date(session.startedMs).toISOString(),
        validUntil: this.#untilOf(session, days, nowMs),
        madeBy: action.madeBy ?? "",
        reason: action.reason ?? "",
        ...part,
      });
      session.phase = "saved";
      session.saved = { version: stored.version, validUntil: stored.validUntil };
      if (step === "white") this.#darks.delete(deviceId);
      return stored;
    } catch (error) {
      session.phase = "review";
      session.error = codeOf(error, "calibration-not-saved");
      throw error;
    }
  }

  /** A matrix made on a white reading is worth no longer than that. */
  #untilOf(session: Session, days: number, nowMs: number): string {
    const endMs = nowMs + days * DAY_MS;
    if (session.setup.step !== "chart") return new Date(endMs).toISOString();
    const white = currentRecord(this.#options.records(session.setup.deviceId), "spectral", nowMs);
    return new Date(Math.min(endMs, Date.parse(white?.validUntil ?? ""))).toISOString();
  }

  #partOf(session: Session): Pick<CalibrationDraft, "tof" | "spectral"> {
    const { step, spectral: before, chart } = session.setup;
    const { tof, spectral } = session.outcome();
    if (step === "tare") return tof ? { tof } : {};
    // The matrix maps reflectances: it stays right when the lamp's level changes and a new white reading is made.
    const matrix = before?.colorMatrix;
    if (step === "white") return spectral ? { spectral: { ...spectral, ...(matrix && { colorMatrix: matrix }) } } : {};
    if (!before) throw new CodedError("calibration-white-missing", "no white reading in force");
    const patches = [...session.patches].flatMap(([index, reflectance]) => {
      const patch = chart.patches[index];
      return patch ? [{ reflectance, xyz: patch.xyz }] : [];
    });
    const fitted = this.#options.fitMatrix(patches);
    if (!(fitted.meanDeltaE <= MAX_MEAN_DELTA_E)) {
      throw new CodedError(
        "calibration-poor-matrix",
        `mean colour difference ${fitted.meanDeltaE.toFixed(1)} over ${patches.length} patches`,
      );
    }
    return { spectral: { ...before, colorMatrix: { ...fitted, chart: chart.name } } };
  }

  #darkOf(deviceId: string, nowMs: number): SessionSetup["dark"] {
    const kept = this.#darks.get(deviceId);
    return kept && nowMs - kept.atMs < DARK_MS ? kept.dark : undefined;
  }

  #keepDark(deviceId: string, dark: SessionSetup["dark"], nowMs: number): void {
    if (!dark) return;
    this.#darks.delete(deviceId);
    this.#darks.set(deviceId, { dark, atMs: nowMs });
    const [oldest] = this.#darks.keys();
    if (this.#darks.size > MAX_DARKS && oldest !== undefined) this.#darks.delete(oldest);
  }

  #end(deviceId: string): void {
    const held = this.#sessions.get(deviceId);
    if (!held || held.session.phase === "saving") return;
    held.stopWatching();
    this.#sessions.delete(deviceId);
  }
}
