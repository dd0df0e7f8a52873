import type { CnhFrame } from "./cnh-frame.ts";
import type { UldFamily } from "./uld-blocks.ts";

/** The motion indicator as the registers hold it. */
export interface MotionIndicator {
  globalIndicator1: number;
  globalIndicator2: number;
  status: number;
  detectedAggregates: number;
  aggregates: number;
  /** 32 values; physical: / 65535. */
  motion: number[];
}

/**
 * Integers as the registers hold them. An output that was switched off is absent. `ambientPerSpad`, `spadsEnabled` and
 * `targetCount` have one element per zone; the others `targetsPerZone`, at `zone * targetsPerZone + target`.
 */
export interface RawOutputs {
  ambientPerSpad?: number[];
  spadsEnabled?: number[];
  targetCount?: number[];
  signalPerSpad?: number[];
  rangeSigma?: number[];
  distance?: number[];
  reflectance?: number[];
  targetStatus?: number[];
  motion?: MotionIndicator;
}

/** The same in physical units, fractions kept; the status of a zone without a target is 255. */
export interface PhysicalOutputs {
  ambientKcpsPerSpad?: number[];
  /** As the firmware gives it (probably effective SPADs × 256; no driver scales it). */
  spadsEnabled?: number[];
  targetCount?: number[];
  signalKcpsPerSpad?: number[];
  rangeSigmaMm?: number[];
  distanceMm?: number[];
  reflectancePercent?: number[];
  targetStatus?: number[];
  motion?: MotionIndicator;
}

/** What makes a frame corrupted, or a part of it unreadable. */
export type UldProblem =
  | "id-mismatch"
  | "no-footer"
  | "no-end"
  | "block-overrun"
  | "short-block"
  | "mixed-families"
  | "bad-zones"
  | `cnh-${string}`;

/** One decoded result frame. */
export interface UldFrame {
  /** `bus`: words big-endian, as read from the sensor; `host`: after the driver's reversal. */
  byteOrder: "bus" | "host";
  zones: 16 | 64;
  side: 4 | 8;
  targetsPerZone: number;
  /** Absent when the frame has no block that exists per family. */
  family?: UldFamily;
  /** VL53L5CX ULD 1.1.x: no footer id, reflectance already in percent. */
  isOldDriver: boolean;
  /** Id in the header; the footer repeats it. */
  frameId: number;
  /** Absent when the driver sends none. */
  footerId?: number;
  /** Counts frames, 0…255, 255 never used. */
  streamCount: number;
  /** Error code the sensor reports instead of data, when it does. */
  deviceError?: number;
  siliconTempC?: number;
  /** The sensor's time stamp, in its own ticks. */
  deviceTimestamp?: number;
  /** Distance at which the sensor's phase wraps around, mm. */
  wrapDmaxMm?: number;
  raw: RawOutputs;
  physical: PhysicalOutputs;
  /** Per target: status is one of the valid ones. All false on a corrupted frame. */
  valid: boolean[];
  cnh?: CnhFrame;
  /** The frame was overwritten while it was read, or cut, or is not laid out as stated: nothing in it can be trusted. */
  corrupted: boolean;
  problems: UldProblem[];
  /** Indices of blocks that no driver documents, skipped. */
  unknownBlocks: number[];
  /** Bytes from the start to the end of the footer. */
  byteLength: number;
}
