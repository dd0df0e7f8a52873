import { analyseSpectrumCalibrated } from "../../nodes/as7341/analyse-colour.ts";
import { DUCK_COLOUR } from "../../nodes/as7341/colour-defaults.ts";
import { productSpectrum } from "../../nodes/as7341/product-spectrum.ts";
import { darkOf, whiteOf } from "../../nodes/calibration/spectral-record.ts";
import { tareOf } from "../../nodes/calibration/tare.ts";
import { Segmenter } from "../../nodes/product/segment.ts";
import type { Calibration } from "../../nodes/sample/calibration.ts";
import type { ShapeAnalysis, SpectralReading, TofFrame } from "../../nodes/sample/sample.ts";
import { analyseProduct } from "../../nodes/vl53l8ch/analyse-product.ts";
import { analyseShape } from "../../nodes/vl53l8ch/analyse-shape.ts";
import { type BeltProductTruth, BeltStation, WHITE_REFLECTANCE } from "../simulator/belt.ts";
import { readingOf } from "../simulator/belt-spectrum.ts";
import type { LiverFamily } from "../simulator/liver-family.ts";
import { random } from "../simulator/random.ts";

/** One product as the line saw it, beside what it was. */
export interface Judged {
  truth: BeltProductTruth;
  shape: ShapeAnalysis;
  blood: boolean;
  bile: boolean;
  /** Readings that lay wholly on it. */
  readings: number;
}

export interface Mounted {
  judged: Judged[];
  /** Products that passed (all within the view's width), and whole products the line told apart. */
  passed: number;
  counted: number;
  /** CIEDE2000 of a grey card to neutral. */
  greyDeltaE: number;
}

export interface Conditions {
  heightErrorMm: number;
  tiltDeg: number;
  speedError: number;
  emptyFrames: { least: number; meanMore: number };
  dentShare: number;
  tareFrames: number;
  /** What kind of liver; default the usual. */
  family?: LiverFamily;
}

export const CONDITIONS: Conditions = {
  heightErrorMm: 2,
  tiltDeg: 3,
  speedError: 0.1,
  emptyFrames: { least: 1, meanMore: 3 },
  dentShare: 0.25,
  tareFrames: 60,
};

export interface Look {
  frame: TofFrame;
  reading: SpectralReading;
  atMs: number;
  products: number[];
}

export interface Passage {
  station: BeltStation;
  calibration: Calibration;
  /** Frames that the line put to one product each. */
  groups: Look[][];
  /** What passed, by number. */
  truths: Map<number, BeltProductTruth>;
}

/** Mounts one station with errors drawn from the conditions, calibrates it as a person would, and runs products past it. */
export function passMount(seed: number, products: number, conditions: Conditions): Passage {
  const rng = random(seed, "mount");
  const direction = rng.uniform(0, 2 * Math.PI);
  const tilt = rng.uniform(0, conditions.tiltDeg);
  const station = new BeltStation(seed, "accuracy", {
    heightErrorMm: rng.uniform(-conditions.heightErrorMm, conditions.heightErrorMm),
    tiltXDeg: tilt * Math.cos(direction),
    tiltYDeg: tilt * Math.sin(direction),
    beltSpeedError: rng.uniform(-conditions.speedError, conditions.speedError),
    emptyFrames: conditions.emptyFrames,
    dentShare: conditions.dentShare,
    ...(conditions.family && { family: conditions.family }),
  });
  const calibration = calibrate(station, conditions.tareFrames);
  const context = { deviceId: "accuracy", calibration };
  const segmenter = new Segmenter<Look>(() => "p");
  const truths = new Map<number, BeltProductTruth>();
  const groups: Look[][] = [];
  while (truths.size < products) {
    const taken = station.next();
    for (const truth of taken.left) truths.set(truth.number, truth);
    const { presence } = analyseShape(taken.frame, context);
    const look: Look = {
      frame: taken.frame,
      reading: taken.reading,
      atMs: taken.timeMs,
      products: taken.inView.map(({ truth }) => truth.number),
    };
    const facts = { deviceId: "accuracy", atMs: taken.timeMs, isOccupied: presence !== "NO_PRODUCT" };
    for (const group of segmenter.add(look, facts, taken.timeMs)) if (group.closing) groups.push(group.items);
  }
  return { station, calibration, groups, truths };
}

/** Judges what passed one mount. */
export function runMount(seed: number, products: number, conditions: Conditions): Mounted {
  const { station, calibration, groups, truths } = passMount(seed, products, conditions);
  const context = { deviceId: "accuracy", calibration };
  const judged: Judged[] = [];
  let counted = 0;
  const claimed = new Set<number>();
  for (const looks of groups) {
    const shape = analyseProduct(looks, context);
    if (shape.presence !== "PRODUCT") continue;
    const truth = truths.get(mostOften(looks.flatMap((look) => look.products)) ?? -1);
    if (!truth) continue;
    counted += 1;
    if (claimed.has(truth.number)) continue;
    claimed.add(truth.number);
    judged.push({ truth, shape, ...stainsOf(looks, calibration) });
  }
  return { judged, passed: truths.size, counted, greyDeltaE: greyDeltaE(station, calibration) };
}

function calibrate(station: BeltStation, frames: number): Calibration {
  const { tof } = tareOf(station.emptyBelt(frames), 45);
  const readings = (take: () => Parameters<typeof readingOf>[0]) => Array.from({ length: 10 }, () => readingOf(take()));
  const { darkBasicCounts } = darkOf(readings(() => station.darkReading()));
  const { spectral } = whiteOf(
    readings(() => station.whiteReading()),
    darkBasicCounts,
    WHITE_REFLECTANCE,
  );
  return {
    calibrationId: "accuracy",
    deviceId: "accuracy",
    version: 1,
    validFrom: "2020-01-01T00:00:00Z",
    validUntil: "2100-01-01T00:00:00Z",
    madeBy: "accuracy",
    reason: "simulation",
    ...(tof && { tof }),
    ...(spectral && { spectral }),
  };
}

/** Stains by all readings that lie wholly on the product: those with the middle zones high. */
function stainsOf(looks: readonly Look[], calibration: Calibration) {
  const context = { deviceId: "accuracy", calibration };
  const on = looks.filter(({ frame }) => {
    const { occupied, heightMm } = analyseShape(frame, context);
    return [27, 28, 35, 36].every((zone) => occupied[zone] && (heightMm[zone] ?? 0) >= 12);
  });
  const analysed = on.map(({ reading }) => ({
    reading,
    analysis: analyseSpectrumCalibrated(reading, context, DUCK_COLOUR),
  }));
  const { readings, blood, bile } = productSpectrum(analysed, DUCK_COLOUR);
  return { readings, blood: blood.isFound, bile: bile.isFound };
}

function greyDeltaE(station: BeltStation, calibration: Calibration): number {
  const { color } = analyseSpectrumCalibrated(
    readingOf(station.greyCard()),
    { deviceId: "accuracy", calibration },
    DUCK_COLOUR,
  );
  return Math.hypot(color.a, color.b);
}

export function mostOften(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}
