import type { TofFrame, TofHistograms, TofOutput } from "../sample/sample.ts";
import type { CnhConfig, CnhFrame } from "./cnh-frame.ts";
import { type Orientation, reorder, zoneOrder } from "./orientation.ts";
import { DEFAULT_VALID_STATUSES } from "./uld.ts";
import type { PhysicalOutputs } from "./uld-frame.ts";
import { NO_TARGET } from "./uld-scale.ts";

export interface TofFrameOptions {
  orientation?: Orientation;
  /** Default 5 and 9. */
  validStatuses?: readonly number[];
  /** Status of every zone where the source tells none. Default 255: without a status no zone is taken as valid. */
  statusWhenMissing?: number;
}

/** What a frame of the line is made from: a `UldFrame`, or what a text form told. */
export interface TofSource {
  side: 4 | 8;
  targetsPerZone: number;
  physical: PhysicalOutputs;
  corrupted: boolean;
  cnh?: Pick<CnhFrame, "aggregates" | "bins" | "values" | "ambient" | "config"> & { residual?: number };
  siliconTempC?: number;
  streamCount?: number;
}

/**
 * The frame the line works with: one target per zone (the first valid one, else the first), turned as the sensor is mounted.
 * A corrupted frame has no valid zone; without statuses neither.
 */
export function toTofFrame(source: TofSource, options: TofFrameOptions = {}): TofFrame {
  const { side, targetsPerZone: perZone, physical } = source;
  const zones = side * side;
  const order = zoneOrder(side, options.orientation);
  const turn = (values: readonly number[] | undefined, width = 1) => values && reorder(values, order, width);
  const validStatuses = source.corrupted ? [] : [...(options.validStatuses ?? DEFAULT_VALID_STATUSES)];
  const missing: TofOutput[] = [];
  const orMissing = (output: TofOutput, values: number[] | undefined, width: number, fill = 0) => {
    if (values) return values;
    missing.push(output);
    return new Array<number>(zones * width).fill(fill);
  };

  const distanceMm = turn(physical.distanceMm, perZone);
  const reflectancePercent = turn(physical.reflectancePercent, perZone);
  const signal = turn(physical.signalKcpsPerSpad, perZone);
  const sigmaMm = turn(physical.rangeSigmaMm, perZone);
  const status = orMissing(
    "status",
    turn(physical.targetStatus, perZone),
    perZone,
    options.statusWhenMissing ?? NO_TARGET,
  );
  const chosen = Array.from({ length: zones }, (_, zone) => {
    for (let target = zone * perZone; target < (zone + 1) * perZone; target += 1)
      if (validStatuses.includes(status[target] ?? NO_TARGET)) return target;
    return zone * perZone;
  });
  const choose = (values: readonly number[]) => chosen.map((index) => values[index] ?? 0);
  const targetCount = turn(physical.targetCount);
  const spads = turn(physical.spadsEnabled);
  return {
    side,
    distanceMm: choose(orMissing("distanceMm", distanceMm, perZone)),
    reflectancePercent: choose(orMissing("reflectancePercent", reflectancePercent, perZone)),
    signal: choose(orMissing("signal", signal, perZone)),
    ambient: orMissing("ambient", turn(physical.ambientKcpsPerSpad), 1),
    signalUnit: "kcps/SPAD",
    status: choose(status),
    validStatuses,
    ...(sigmaMm && { sigmaMm: choose(sigmaMm) }),
    ...(targetCount && { targetCount }),
    ...(spads && { spads }),
    ...(perZone > 1 && {
      targets: {
        perZone,
        ...(distanceMm && { distanceMm }),
        ...(reflectancePercent && { reflectancePercent }),
        ...(signal && { signal }),
        ...(sigmaMm && { sigmaMm }),
        status,
      },
    }),
    ...(source.cnh && { cnh: histogramsOf(source.cnh, order) }),
    ...(source.siliconTempC !== undefined && { siliconTempC: source.siliconTempC }),
    ...(source.streamCount !== undefined && { streamCount: source.streamCount }),
    corrupted: source.corrupted,
    ...(missing.length > 0 && { missing }),
  };
}

function histogramsOf(cnh: NonNullable<TofSource["cnh"]>, order: readonly number[]): TofHistograms {
  const { config } = cnh;
  return {
    aggregates: cnh.aggregates,
    bins: cnh.bins,
    values: cnh.values,
    ambient: cnh.ambient,
    ...(cnh.residual !== undefined && { residual: cnh.residual }),
    ...(config && { startBin: config.startBin, subSample: config.subSample }),
    ...(config?.zoneMap && { zoneMap: turnedMap(config.zoneMap, order) }),
  };
}

function turnedMap(zoneMap: NonNullable<CnhConfig["zoneMap"]>, order: readonly number[]): number[] {
  return order.map((zone) => zoneMap[zone] ?? -1);
}
