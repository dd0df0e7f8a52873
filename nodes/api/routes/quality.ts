/** Control charts, capability, devices held against each other, and what a person fixed for them. */
import Type from "typebox";
import type { Person } from "../../sample/roles.ts";
import { DRIFT_DEFAULTS, deviceDrift } from "../../spc/device-drift.ts";
import { FIGURES, RECORD_COLUMNS, type RecordDraft } from "../../spc/records.ts";
import { processOf } from "../../spc/shewhart.ts";
import { Problem } from "../problem.ts";
import { chartOf, LEAST_POINTS } from "../quality-chart.ts";
import { baselineOf, periodOf, readCells, readSubgroups, recordOf } from "../quality-data.ts";
import {
  BaselineBody,
  Chart,
  ChartQuery,
  Drift,
  DriftQuery,
  FigureName,
  QualityRecord,
  ScopeQuery,
  ToleranceBody,
} from "../quality-schema.ts";
import { type ApiContext, type Route, route } from "../route.ts";
import { Limit } from "../samples.ts";
import { Conditions } from "../sql.ts";

const nameOf = (person: Person | undefined): string => {
  if (!person) throw new Problem(401, "not-signed-in", "a record needs its maker's name");
  return person.name;
};
const write = async ({ quality }: ApiContext, draft: RecordDraft) => recordOf(await quality.write(draft));

export const QUALITY_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/quality/chart",
    operationId: "getControlChart",
    tag: "quality",
    summary: "Control chart of a figure: Shewhart and EWMA, Western Electric rules, capability",
    description:
      "The last 24 hours where `from` and `to` are left out. Without `subgroup_size`: single products up to 250 of them, else means of 5 successive products, taken at the beginning of each of up to 200 stretches of the period. Limits come from the baseline that was fixed for the same figure, line and device, else from the period itself.",
    query: ChartQuery,
    response: Chart,
    handle: (context, { query }) => chartOf(context, query),
  }),
  route({
    method: "get",
    path: "/quality/devices",
    operationId: "compareDevices",
    tag: "quality",
    summary: "Each device against the others, over what they saw of the same line, lot and time",
    description:
      "Intervals are Student's over the stretches and hold for all devices together (Bonferroni). Periods over two days are counted by whole UTC days.",
    query: DriftQuery,
    response: Drift,
    async handle(context, { query: { figure, from, to, line, confidence } }) {
      const period = periodOf(context.nowMs(), from, to);
      const { cellS, isCut, cells } = await readCells(context, { figure, line }, period);
      return {
        figure,
        unit: FIGURES[figure].unit,
        from: new Date(period.fromMs).toISOString(),
        to: new Date(period.toMs).toISOString(),
        line: line ?? null,
        cell_s: cellS,
        confidence,
        is_cut: isCut,
        devices: deviceDrift(cells, { ...DRIFT_DEFAULTS, confidence }).map(({ slopePerDay, difference, ...known }) => ({
          ...known,
          difference: difference ?? null,
          slope_per_day: slopePerDay ?? null,
        })),
      };
    },
  }),
  route({
    method: "get",
    path: "/quality/records",
    operationId: "listQualityRecords",
    tag: "quality",
    summary: "Baselines and tolerances that were fixed, newest first",
    query: Type.Object({ figure: Type.Optional(FigureName), limit: Limit(500, 50) }),
    response: Type.Object({ records: Type.Array(QualityRecord) }),
    async handle({ query, siteId }, { query: { figure, limit } }) {
      const conditions = new Conditions().add("site_id = ?", siteId).addIf(figure, "figure = ?");
      const rows = await query(
        `SELECT ${RECORD_COLUMNS} FROM quality_records ${conditions.where} ORDER BY record_id DESC LIMIT ${limit}`,
        conditions.values,
        limit,
      );
      return { records: rows.map(recordOf) };
    },
  }),
  route({
    method: "post",
    path: "/quality/baseline",
    operationId: "fixBaseline",
    tag: "quality",
    action: "quality.baseline",
    summary: "Has the charts of a figure, line and device take their limits from a period",
    description: `Writes a dated record with the period's center and spread; 409 \`too-few-points\` for fewer than ${LEAST_POINTS} points.`,
    body: BaselineBody,
    status: 201,
    response: QualityRecord,
    problems: [409],
    async handle(context, { body, person }) {
      const { figure, line, device, from, to, subgroup_size, reason } = body;
      const madeBy = nameOf(person);
      const period = periodOf(context.nowMs(), from, to);
      const { size, subgroups } = await readSubgroups(context, { figure, line, device }, period, subgroup_size);
      const process = processOf(subgroups.map(({ values }) => values));
      if (!process || subgroups.length < LEAST_POINTS)
        throw new Problem(
          409,
          "too-few-points",
          `a baseline takes ${LEAST_POINTS} points; there are ${subgroups.length}`,
        );
      return write(context, {
        kind: "baseline",
        ...{ figure, line, device, from, to, reason, madeBy },
        subgroupSize: size,
        subgroups: subgroups.length,
        ...process,
      });
    },
  }),
  route({
    method: "delete",
    path: "/quality/baseline",
    operationId: "withdrawBaseline",
    tag: "quality",
    action: "quality.baseline",
    summary: "Takes a baseline out of force: limits come from the period shown again",
    query: ScopeQuery,
    response: QualityRecord,
    problems: [404],
    async handle(context, { query: { figure, line, device }, person }) {
      const madeBy = nameOf(person);
      if (!(await baselineOf(context, { figure, line, device })))
        throw new Problem(404, "no-baseline", "no baseline is in force for this figure, line and device");
      return write(context, { kind: "baseline-withdrawn", figure, line, device, madeBy });
    },
  }),
  route({
    method: "put",
    path: "/quality/tolerance",
    operationId: "setTolerance",
    tag: "quality",
    action: "quality.tolerance",
    summary: "What a product may be, for capability: of all lines, or of one",
    description: "Neither `lower` nor `upper`: none any more.",
    body: ToleranceBody,
    status: 201,
    response: QualityRecord,
    async handle(context, { body: { figure, line, lower, upper, reason }, person }) {
      const madeBy = nameOf(person);
      if (typeof lower === "number" && typeof upper === "number" && lower >= upper)
        throw new Problem(400, "bad-tolerance", "lower: not below upper");
      return write(context, {
        kind: "tolerance",
        ...{ figure, line, reason, madeBy },
        lower: lower ?? undefined,
        upper: upper ?? undefined,
      });
    },
  }),
];
