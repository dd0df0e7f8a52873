import { isSqalDialect } from "./message.ts";
import type { Sample } from "./sample.ts";
import { thicknessMmOf } from "./thickness.ts";
import type { GradeLetter } from "./units.ts";

/**
 * What a listener to many samples needs of each: small, because Node-RED gives each listener a copy of its own, and a
 * whole sample takes a quarter of a millisecond to copy.
 */
export interface SampleFigures {
  kind: "sample-figures";
  sampleUid: string;
  deviceId: string;
  siteId: string;
  lineId: string;
  /** UTC, ISO 8601. */
  measuredAt: string;
  isHistorical: boolean;
  shift: string;
  productionDay: string;
  productId?: string;
  grade?: GradeLetter;
  /** 0 to 1. */
  score?: number;
  massG?: number;
  thicknessMm?: number;
  /** Whether a sensor's reading is saturated or damaged; absent without a reading. */
  isSaturated?: boolean;
  /** Whether a part it has lacks a valid calibration; absent where none is needed or nobody knows. */
  isUncalibrated?: boolean;
}

/** The figures of a sample, for those that need no more. */
export function sampleFiguresOf(sample: Sample): SampleFigures {
  const { sampleUid, deviceId, siteId, lineId, measuredAt, isHistorical, productId, grade } = sample;
  const { shift, productionDay } = sample;
  const massG = sample.vl53l8ch?.analysis?.massG;
  const thicknessMm = grade && thicknessMmOf(sample);
  const isSaturated = saturationOf(sample);
  const isUncalibrated = lackOf(sample);
  return {
    ...{ kind: "sample-figures" as const, sampleUid, deviceId, siteId, lineId, measuredAt, isHistorical },
    ...{ shift, productionDay },
    ...(productId !== undefined && { productId }),
    ...(grade && { grade: grade.grade, score: grade.score }),
    ...(typeof massG === "number" && { massG }),
    ...(thicknessMm !== undefined && { thicknessMm }),
    ...(isSaturated !== undefined && { isSaturated }),
    ...(isUncalibrated !== undefined && { isUncalibrated }),
  };
}

/** Whether a message's payload is a sample's figures. */
export function isSampleFigures(payload: unknown): payload is SampleFigures {
  return typeof payload === "object" && payload !== null && "kind" in payload && payload.kind === "sample-figures";
}

function saturationOf({ as7341, vl53l8ch }: Sample): boolean | undefined {
  if (!as7341 && !vl53l8ch) return undefined;
  return (as7341?.reading.saturated.length ?? 0) > 0 || vl53l8ch?.frame.corrupted === true;
}

function lackOf({ calibrationState, vl53l8ch, as7341 }: Sample): boolean | undefined {
  // What SQAL's formulas make of a message does not depend on a calibration: nobody could do anything about it.
  if (!calibrationState || isSqalDialect(vl53l8ch?.features?.dialect)) return undefined;
  const states = [vl53l8ch && calibrationState.tof, as7341 && calibrationState.spectral];
  if (states.includes("unknown")) return undefined;
  return states.some((state) => state === "missing" || state === "expired");
}
