import type { Static } from "typebox";
import { type Capability, capabilityOf } from "../spc/capability.ts";
import { ewma } from "../spc/ewma.ts";
import { FIGURES } from "../spc/records.ts";
import {
  limitsOf,
  type Process,
  pointSigmaOf,
  pointsOf,
  processOf,
  spreadKindOf,
  spreadLimitsOf,
  spreadsOf,
  zScores,
} from "../spc/shewhart.ts";
import { westernElectric } from "../spc/western-electric.ts";
import { baselineOf, periodOf, readSubgroups, toleranceOf } from "./quality-data.ts";
import type { ChartQuery, ChartView, QualityRecordView } from "./quality-schema.ts";
import type { ApiContext } from "./route.ts";

/** Limits from fewer points are called provisional (Montgomery, section 6.2: 20 to 25 subgroups). */
export const LEAST_POINTS = 20;

/** The control chart that a query asks for. */
export async function chartOf(context: ApiContext, query: Static<typeof ChartQuery>): Promise<ChartView> {
  const { figure, line, device, subgroup_size, lambda, width } = query;
  const which = { figure, line, device };
  const period = periodOf(context.nowMs(), query.from, query.to);
  const { size, slotS, isCut, subgroups } = await readSubgroups(context, which, period, subgroup_size);
  const [baseline, tolerance] = await Promise.all([baselineOf(context, which), toleranceOf(context, which)]);
  const values = subgroups.map((subgroup) => subgroup.values);
  const points = pointsOf(values);
  const fixed = processOfRecord(baseline);
  const process = fixed ?? processOf(values);
  const limits = process ? limitsOf(process, size) : null;
  const spreadLimits = process ? spreadLimitsOf(process, size) : null;
  const z = process ? zScores(points, process, size) : [];
  const signals = westernElectric(z);
  const spreads = spreadsOf(values);
  const averages = process
    ? ewma(points, { center: process.center, sigma: pointSigmaOf(process, size), lambda, width })
    : [];
  return {
    figure,
    unit: FIGURES[figure].unit,
    from: new Date(period.fromMs).toISOString(),
    to: new Date(period.toMs).toISOString(),
    line: line ?? null,
    device: device ?? null,
    subgroup_size: size,
    slot_s: slotS,
    is_cut: isCut,
    limits,
    limits_from: fixed ? "baseline" : "window",
    is_provisional: !fixed && points.length < LEAST_POINTS,
    baseline,
    tolerance,
    spread_kind: spreadKindOf(size),
    spread_limits: spreadLimits,
    lambda,
    width,
    points: points.map((value, index) => {
      const average = averages[index];
      const spread = spreads[index];
      return {
        time: subgroups[index]?.time ?? "",
        value,
        z: finiteOrNull(z[index]),
        rules: signals[index] ?? [],
        ewma: average?.value ?? null,
        ewma_lower: average?.lower ?? null,
        ewma_upper: average?.upper ?? null,
        ewma_beyond: !average
          ? null
          : average.value > average.upper
            ? "above"
            : average.value < average.lower
              ? "below"
              : null,
        spread: spread ?? null,
        spread_beyond:
          spread !== undefined && spreadLimits !== null && (spread > spreadLimits.upper || spread < spreadLimits.lower),
      };
    }),
    capability: capabilityView(
      capabilityOf(values, { lower: tolerance?.lower ?? undefined, upper: tolerance?.upper ?? undefined }),
    ),
  };
}

function processOfRecord(record: QualityRecordView | null): Process | undefined {
  return record && record.center !== null && record.sigma !== null
    ? { center: record.center, sigma: record.sigma }
    : undefined;
}

const finiteOrNull = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;

function capabilityView(found: Capability): ChartView["capability"] {
  const { unmet, cp, cpk, cpkInterval, process, shape, products, subgroups, outside, signals, signalsByChance } = found;
  return {
    unmet,
    cp: cp ?? null,
    cpk: cpk ?? null,
    cpk_low: cpkInterval?.[0] ?? null,
    cpk_high: cpkInterval?.[1] ?? null,
    mean: process?.center ?? null,
    sigma: process?.sigma ?? null,
    skewness: shape?.skewness ?? null,
    excess_kurtosis: shape?.excess ?? null,
    products,
    subgroups,
    outside: outside ?? null,
    calls: signals,
    calls_by_chance: signalsByChance,
  };
}
