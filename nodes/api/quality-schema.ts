/** Schemas of the control charts' operations. */
import Type, { type Static } from "typebox";
import { MOST_SIZE } from "../spc/constants.ts";
import { EWMA_DEFAULTS } from "../spc/ewma.ts";
import { RULES } from "../spc/western-electric.ts";
import { Nullable, Time } from "./fields.ts";
import { From, Id, To } from "./samples.ts";

const number = Type.Number();
const count = Type.Integer({ minimum: 0 });
const text = Nullable(Type.String());
export const FigureName = Type.Union(
  [Type.Literal("thickness"), Type.Literal("mass"), Type.Literal("score"), Type.Literal("delta_e")],
  { description: "thickness in mm, mass in g, score 0 to 1, ΔE to the reference colour" },
);
const Side = Type.Union([Type.Literal("above"), Type.Literal("below")]);
const Rule = Type.Enum([...RULES]);
const Limits = Type.Object({ center: number, lower: number, upper: number }, { "x-component": "ControlLimits" });
export const SubgroupSize = Type.Integer({
  minimum: 1,
  maximum: MOST_SIZE,
  description: "successive products per point; 1: single products",
});
const Reason = Type.Optional(Type.String({ minLength: 1, maxLength: 500 }));

export const ChartQuery = Type.Object({
  figure: FigureName,
  from: From,
  to: To,
  line: Type.Optional(Id),
  device: Type.Optional(Id),
  subgroup_size: Type.Optional({ ...SubgroupSize, description: "successive products per point; 1: single products" }),
  lambda: Type.Number({
    minimum: 0.01,
    maximum: 1,
    default: EWMA_DEFAULTS.lambda,
    description: "weight of the newest point",
  }),
  width: Type.Number({
    minimum: 1,
    maximum: 5,
    default: EWMA_DEFAULTS.width,
    description: "L: EWMA limits, in sigmas",
  }),
});
export const DriftQuery = Type.Object({
  figure: FigureName,
  from: From,
  to: To,
  line: Type.Optional(Id),
  confidence: Type.Number({ minimum: 0.5, maximum: 0.999, default: 0.95 }),
});

export const QualityRecord = Type.Object(
  {
    id: Type.String(),
    kind: Type.Union([Type.Literal("baseline"), Type.Literal("baseline-withdrawn"), Type.Literal("tolerance")]),
    figure: FigureName,
    line: text,
    device: text,
    from: Nullable(Time),
    to: Nullable(Time),
    subgroup_size: Nullable(count),
    subgroups: Nullable(count),
    center: Nullable(number),
    sigma: Nullable(number),
    lower: Nullable(number),
    upper: Nullable(number),
    made_by: Type.String(),
    reason: text,
    created_at: Time,
  },
  { "x-component": "QualityRecord" },
);
export type QualityRecordView = Static<typeof QualityRecord>;

const Point = Type.Object(
  {
    time: Type.String({ format: "date-time", description: "of the first product" }),
    value: Type.Number({ description: "the product's figure, or the mean of the subgroup" }),
    z: Nullable(Type.Number({ description: "distance from the center, in sigmas of the points" })),
    rules: Type.Array(Type.Object({ rule: Rule, side: Side }), { description: "Western Electric rules it breaks" }),
    ewma: Nullable(number),
    ewma_lower: Nullable(number),
    ewma_upper: Nullable(number),
    ewma_beyond: Nullable(Side),
    spread: Nullable(Type.Number({ description: "moving range, range, or standard deviation" })),
    spread_beyond: Type.Boolean(),
  },
  { "x-component": "ControlPoint" },
);

const Capability = Type.Object(
  {
    unmet: Type.Array(Type.Enum(["no-tolerance", "too-few", "no-spread", "out-of-control", "not-normal"]), {
      description: "conditions that do not hold; with any, no index is given",
    }),
    cp: Nullable(number),
    cpk: Nullable(number),
    cpk_low: Nullable(Type.Number({ description: "of the 95 % interval" })),
    cpk_high: Nullable(number),
    mean: Nullable(number),
    sigma: Nullable(Type.Number({ description: "of single products within a short time" })),
    skewness: Nullable(number),
    excess_kurtosis: Nullable(number),
    products: count,
    subgroups: count,
    outside: Nullable(Type.Integer({ description: "products outside the tolerance" })),
    calls: Type.Integer({ description: "of the rules against the period's own limits, each beginning anew" }),
    calls_by_chance: Type.Integer({ description: "most calls of a stable process, in 99 of 100 cases" }),
  },
  { "x-component": "Capability" },
);

export const Chart = Type.Object(
  {
    figure: FigureName,
    unit: Type.String(),
    from: Time,
    to: Time,
    line: text,
    device: text,
    subgroup_size: count,
    slot_s: Nullable(Type.Integer({ description: "seconds; the first products of each such stretch make a point" })),
    is_cut: Type.Boolean({ description: "single products: only the newest of the period" }),
    limits: Nullable(Limits),
    limits_from: Type.Union([Type.Literal("baseline"), Type.Literal("window")]),
    is_provisional: Type.Boolean({ description: "limits from fewer than 20 points" }),
    baseline: Nullable(QualityRecord),
    tolerance: Nullable(QualityRecord),
    spread_kind: Type.Enum(["moving-range", "range", "standard-deviation"]),
    spread_limits: Nullable(Limits),
    lambda: number,
    width: number,
    points: Type.Array(Point, { description: "oldest first, at most 250" }),
    capability: Capability,
  },
  { "x-component": "ControlChart" },
);
export type ChartView = Static<typeof Chart>;

const Interval = Type.Object({ value: number, low: number, high: number }, { "x-component": "Interval" });
export const Drift = Type.Object(
  {
    figure: FigureName,
    unit: Type.String(),
    from: Time,
    to: Time,
    line: text,
    cell_s: Type.Integer({
      description: "seconds; devices are compared within such stretches, line by line, lot by lot",
    }),
    confidence: number,
    is_cut: Type.Boolean({ description: "only the newest part of the period" }),
    devices: Type.Array(
      Type.Object({
        device: Type.String(),
        products: count,
        cells: count,
        difference: Nullable(Interval),
        slope_per_day: Nullable(Interval),
        verdict: Type.Union([Type.Literal("agrees"), Type.Literal("differs"), Type.Literal("unknown")]),
      }),
    ),
  },
  { "x-component": "DeviceDrift" },
);
export type DriftView = Static<typeof Drift>;

const Scope = { figure: FigureName, line: Type.Optional(Id), device: Type.Optional(Id) };
export const ScopeQuery = Type.Object(Scope);
export const BaselineBody = Type.Object(
  {
    ...Scope,
    from: Type.String({ format: "date-time" }),
    to: Type.String({ format: "date-time" }),
    subgroup_size: SubgroupSize,
    reason: Reason,
  },
  { additionalProperties: false },
);
export const ToleranceBody = Type.Object(
  {
    figure: FigureName,
    line: Type.Optional(Id),
    lower: Type.Optional(Nullable(Type.Number({ minimum: -1e9, maximum: 1e9 }))),
    upper: Type.Optional(Nullable(Type.Number({ minimum: -1e9, maximum: 1e9 }))),
    reason: Reason,
  },
  { additionalProperties: false },
);
