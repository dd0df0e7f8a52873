import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { CodedError } from "../host/errors.ts";
import type { Calibration } from "../sample/calibration.ts";
import { CHANNELS } from "../sample/units.ts";

const strict = { additionalProperties: false };
const Finite = Type.Number({ minimum: -1e12, maximum: 1e12 });
const NotNegative = Type.Number({ minimum: 0, maximum: 1e12 });
const Positive = Type.Number({ exclusiveMinimum: 0, maximum: 1e12 });
const Zones = (value: typeof Finite) => Type.Array(value, { minItems: 16, maxItems: 64 });
const PerChannel = Type.Object(
  {
    F1: NotNegative,
    F2: NotNegative,
    F3: NotNegative,
    F4: NotNegative,
    F5: NotNegative,
    F6: NotNegative,
    F7: NotNegative,
    F8: NotNegative,
    Clear: NotNegative,
    NIR: NotNegative,
  },
  strict,
);
const MatrixRow = Type.Array(Finite, { minItems: 8, maxItems: 8 });

const TofSchema = Type.Object(
  {
    side: Type.Union([Type.Literal(4), Type.Literal(8)]),
    beltDistanceMm: Zones(Positive),
    beltSigmaMm: Zones(NotNegative),
    beltReflectancePercent: Type.Optional(Zones(NotNegative)),
    sensorHeightMm: Positive,
    tiltXDeg: Type.Number({ minimum: -45, maximum: 45 }),
    tiltYDeg: Type.Number({ minimum: -45, maximum: 45 }),
    fieldOfViewDeg: Type.Number({ exclusiveMinimum: 0, maximum: 120 }),
    frames: Type.Integer({ minimum: 1 }),
  },
  strict,
);

const SpectralSchema = Type.Object(
  {
    darkBasicCounts: PerChannel,
    whiteBasicCounts: PerChannel,
    whiteReflectance: PerChannel,
    gainCorrection: Type.Optional(Type.Record(Type.String({ pattern: "^\\d{1,3}(\\.5)?$" }), Positive)),
    colorMatrix: Type.Optional(
      Type.Object(
        {
          rows: Type.Tuple([MatrixRow, MatrixRow, MatrixRow]),
          ridge: NotNegative,
          chart: Type.String({ minLength: 1, maxLength: 64 }),
          meanDeltaE: NotNegative,
        },
        strict,
      ),
    ),
  },
  strict,
);

/** JSON Schema of a calibration record as it is kept in the database (`calibrations.record`): the measured parts. */
export const RecordSchema = Type.Object(
  { tof: Type.Optional(TofSchema), spectral: Type.Optional(SpectralSchema) },
  strict,
);
export type CalibrationRecord = Static<typeof RecordSchema>;
const compiled = Compile(RecordSchema);

/** A calibration before the database gave it its version. */
export type CalibrationDraft = Omit<Calibration, "calibrationId" | "version">;

/** Longest time a record may be in force, days. */
export const MAX_VALID_DAYS = 366;
const MAX_NAME = 80;
const MAX_REASON = 400;
const DAY_MS = 86_400_000;

/**
 * A draft, checked and with its texts trimmed.
 * @throws CodedError `calibration-no-maker`, `calibration-no-reason`, `calibration-bad-validity`, `calibration-empty`,
 *   `calibration-bad-record` (the message names the field)
 */
export function checkDraft(draft: CalibrationDraft): CalibrationDraft {
  const madeBy = checkText(draft.madeBy, MAX_NAME, "calibration-no-maker", "who made the calibration");
  const reason = checkText(draft.reason, MAX_REASON, "calibration-no-reason", "why the calibration was made");
  const from = Date.parse(draft.validFrom);
  const until = Date.parse(draft.validUntil);
  if (!(until > from) || until - from > MAX_VALID_DAYS * DAY_MS) {
    throw new CodedError(
      "calibration-bad-validity",
      `valid from ${draft.validFrom} until ${draft.validUntil}: must be more than 0 and at most ${MAX_VALID_DAYS} days`,
    );
  }
  const { tof, spectral } = parseRecord({
    ...(draft.tof && { tof: draft.tof }),
    ...(draft.spectral && { spectral: draft.spectral }),
  });
  const { deviceId, validFrom, validUntil } = draft;
  return { deviceId, validFrom, validUntil, madeBy, reason, ...(tof && { tof }), ...(spectral && { spectral }) };
}

/**
 * The measured parts of a record from outside (database, import).
 * @throws CodedError `calibration-empty`, `calibration-bad-record`
 */
export function parseRecord(value: unknown): Pick<Calibration, "tof" | "spectral"> {
  if (!compiled.Check(value)) {
    const [error] = compiled.Errors(value);
    const place = error?.instancePath.replaceAll("/", ".").replace(/^\./, "") || "record";
    throw new CodedError("calibration-bad-record", `${place} ${error?.message ?? "is not valid"}`);
  }
  const { tof, spectral } = value;
  if (!tof && !spectral) throw new CodedError("calibration-empty", "the record has neither a ToF nor a spectral part");
  if (tof) {
    const zones = tof.side * tof.side;
    for (const key of ["beltDistanceMm", "beltSigmaMm", "beltReflectancePercent"] as const) {
      const length = tof[key]?.length ?? zones;
      if (length !== zones)
        throw new CodedError("calibration-bad-record", `tof.${key} has ${length} values for ${zones} zones`);
    }
  }
  if (spectral) {
    // Without light on the white standard there is nothing to divide by; Clear and NIR a device may lack.
    const dark = CHANNELS.slice(0, 8).find(
      (channel) => !(spectral.whiteBasicCounts[channel] > spectral.darkBasicCounts[channel]),
    );
    if (dark !== undefined)
      throw new CodedError("calibration-bad-record", `spectral: white is not above dark in ${dark}`);
  }
  return { ...(tof && { tof }), ...(spectral && { spectral }) };
}

function checkText(value: unknown, max: number, code: string, what: string): string {
  const text = typeof value === "string" ? value.replace(/\s+/g, " ").trim() : "";
  if (text === "") throw new CodedError(code, `${what} is not said`);
  return text.slice(0, max);
}
