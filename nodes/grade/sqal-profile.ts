import { CodedError } from "../host/errors.ts";
import type { TofFeatures } from "../sample/sample.ts";
import { type SqalShapeDocument, type SqalShapeParameters, SqalShapeSchema } from "../vl53l8ch/parameters.ts";
import { ShapeScoreSchema, type SqalShapeScore, type SqalSpec } from "./sqal-schema.ts";
import { validator } from "./validate.ts";

export interface ShapeSettings {
  shape: SqalShapeDocument;
  shapeScore: SqalShapeScore;
}

const checkShape = validator(SqalShapeSchema, "shape");
const checkShapeScore = validator(ShapeScoreSchema, "shapeScore");

/**
 * The shape settings of every profile and dialect of a spec, merged and checked once.
 * @throws CodedError `bad-spec` for an override that names nothing or breaks the schema, and for a device whose profile
 *   is not in the document
 */
export class SqalProfiles {
  readonly #spec: SqalSpec;
  readonly #settings = new Map<string, ShapeSettings>();

  constructor(spec: SqalSpec) {
    this.#spec = spec;
    for (const profile of [undefined, ...Object.keys(spec.profiles)]) {
      for (const dialect of [undefined, ...Object.keys(spec.dialects)]) {
        this.#settings.set(keyOf(profile, dialect), merged(spec, profile, dialect));
      }
    }
    for (const [deviceId, profile] of Object.entries(spec.devices)) {
      if (!Object.hasOwn(spec.profiles, profile)) throw badProfile(deviceId, profile);
    }
  }

  /** Settings for a device: its profile's from the device table, else by the profile it says it runs. */
  settingsFor(deviceId: string, features: TofFeatures): ShapeSettings {
    const profile = this.#profileOf(deviceId, features);
    const dialect = features.dialect;
    const known = dialect !== undefined && Object.hasOwn(this.#spec.dialects, dialect) ? dialect : undefined;
    const settings = this.#settings.get(keyOf(profile, known));
    return settings ?? { shape: this.#spec.shape, shapeScore: this.#spec.shapeScore };
  }

  /** Zone side: the device table's, else what the device says of its grid, else of its profile, else the default. */
  shapeParametersFor(deviceId: string, features: TofFeatures): SqalShapeParameters {
    const profile = this.#profileOf(deviceId, features);
    const ofProfile = profile === undefined ? undefined : this.#spec.profiles[profile]?.zoneSideMm;
    const ofTable = Object.hasOwn(this.#spec.devices, deviceId) ? ofProfile : undefined;
    const zoneSideMm = ofTable ?? features.zoneSideMm ?? ofProfile ?? this.#spec.defaultZoneSideMm;
    return { ...this.settingsFor(deviceId, features).shape, zoneSideMm };
  }

  #profileOf(deviceId: string, features: TofFeatures): string | undefined {
    const { devices, profiles } = this.#spec;
    const name = Object.hasOwn(devices, deviceId) ? devices[deviceId] : features.profile;
    return name !== undefined && Object.hasOwn(profiles, name) ? name : undefined;
  }
}

function merged(spec: SqalSpec, profile: string | undefined, dialect: string | undefined): ShapeSettings {
  const layers = [
    profile === undefined ? {} : spec.profiles[profile],
    dialect === undefined ? {} : spec.dialects[dialect],
  ];
  let shape: unknown = spec.shape;
  let shapeScore: unknown = spec.shapeScore;
  for (const layer of layers) {
    shape = overlaid(shape, layer?.shape);
    shapeScore = overlaid(shapeScore, layer?.shapeScore);
  }
  return { shape: checkShape(shape), shapeScore: checkShapeScore(shapeScore) };
}

/** `base` with the members of `overrides` laid over it, group by group. */
function overlaid(base: unknown, overrides: unknown): unknown {
  if (!isGroup(base) || !isGroup(overrides)) return overrides ?? base;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(overrides)) result[key] = overlaid(base[key], value);
  return result;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(profile: string | undefined, dialect: string | undefined): string {
  return JSON.stringify([profile ?? null, dialect ?? null]);
}

function badProfile(deviceId: string, profile: string): CodedError {
  return new CodedError("bad-spec", `devices.${deviceId} names the profile ${profile}, which profiles does not have`);
}
