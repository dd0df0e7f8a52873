import type { SpectralReading } from "../../nodes/sample/sample.ts";
import type { ColorTruth } from "./belt-color.ts";
import type { Liver, LiverOptions } from "./belt-liver.ts";
import type { ZoneLight } from "./belt-optics.ts";
import type { SpectralPasses, SpotShares } from "./belt-spectrum.ts";
import type { BeltFrame } from "./belt-tof.ts";
import type { Lot } from "./lots.ts";
import type { QualityState } from "./quality.ts";

/** How the station differs from its drawing, and what runs over its belt. All fields optional; errors default to 0. */
export interface Mount extends Partial<LiverOptions> {
  /** True height less nominal, mm (typical ±2). */
  heightErrorMm?: number;
  /** Tilt of the belt against the sensor, degrees (typical up to 3): it falls away toward +x, +y. */
  tiltXDeg?: number;
  tiltYDeg?: number;
  /** Nominal belt speed, mm/s, and the share by which the true one differs. */
  beltSpeedMmS?: number;
  beltSpeedError?: number;
  /** Frames between two products in which nothing is in view: fewest, and mean of what comes on top. */
  emptyFrames?: { least: number; meanMore: number };
  /** Standard deviation of the lateral place, mm; products stay in view unless `hangingShare` says otherwise. */
  lateralMm?: number;
  /** Share of products that lie so far to a side that the sensor can't see all of them. */
  hangingShare?: number;
  /** 0: no noise (quantisation and fixed biases stay). */
  noise?: number;
  /** Model time of the first frame, ms since the epoch. */
  startMs?: number;
}

/** What is true of one product. Updated while it passes; complete once reported in `left`. */
export interface BeltProductTruth {
  /** Counts from 1 per station. */
  number: number;
  lot: Lot;
  massG: number;
  volumeMm3: number;
  lengthMm: number;
  widthMm: number;
  thicknessMm: number;
  orientationDeg: number;
  /** Lateral place of its middle. */
  lateralMm: number;
  /** The whole liver was in view in at least one frame. */
  wholeInView: boolean;
  state: QualityState;
  quality: number;
  /** Colour of its unstained surface. */
  color: ColorTruth;
  dents: Liver["dents"];
  stains: Liver["stains"];
  /** Greatest share of the spectral spot in any reading with at most 5 % of belt in it; 0 without such a reading. */
  bloodShare: number;
  bileShare: number;
  /** Readings with at most 5 % of belt in the spot. */
  readings: number;
  /** Frames with a part of it in view. */
  frames: number;
  /** First and last frame with a part of it in view, and when its middle passed below the sensor; ms since the epoch. */
  enteredMs: number;
  leftMs: number;
  centredMs: number;
}

/** One acquisition of a belt device: a ToF frame and a spectral reading taken together. */
export interface BeltAcquisition {
  /** Counts from 0. */
  index: number;
  /** Middle of the ToF integration, ms since the epoch with fractions. */
  timeMs: number;
  frame: BeltFrame;
  /** The light behind the frame, for histograms. */
  light: ZoneLight;
  passes: SpectralPasses;
  reading: SpectralReading;
  /** Products of which a ray meets a part, first come first, with the share of their plan in view. */
  inView: Array<{ truth: BeltProductTruth; share: number; yMm: number }>;
  /** What the spectral spot holds. */
  spot: SpotShares;
  /** Products that left the view since the last acquisition: their truth is complete. */
  left: BeltProductTruth[];
}

/** What can be put below the sensors for a calibration: nothing, a lid, a white tile, a grey card. */
export const STILL_SCENES = ["empty", "dark", "white", "grey"] as const;
export type StillScene = (typeof STILL_SCENES)[number];
