import type { PhysicalOutputs } from "../uld-frame.ts";
import { NO_TARGET } from "../uld-scale.ts";
import { histogramsOf, linesOf, MAX_FRAMES, numberOf, sideOf, type TofForm, type TofReading } from "./form.ts";

/** Column name (before the zone's number) → output; the kit writes physical values, distances with quarters. */
const ZONE_COLUMNS: readonly (readonly [string, Exclude<keyof PhysicalOutputs, "motion">])[] = [
  ["distance_mm_z", "distanceMm"],
  ["target_status_z", "targetStatus"],
  ["signal_per_spad_z", "signalKcpsPerSpad"],
  ["range_sigma_estimated_z", "rangeSigmaMm"],
  ["target_reflectance_est_pc_z", "reflectancePercent"],
  ["ambient_per_spad_z", "ambientKcpsPerSpad"],
];
const BIN = /^cnh__hist_bin_(\d{1,3})_a(\d{1,2})$/;
const MAX_COLUMNS = 20_000;

/** The CSV of ST's MZ-AI evaluation kit: 700 and more columns, one row per frame, `nan` where there is nothing. */
export const evaluationKit: TofForm = {
  name: "evaluation-kit",
  read(text) {
    const [header, ...rows] = linesOf(text);
    const names = (header ?? "").split(",", MAX_COLUMNS).map((name) => name.trim());
    const columns = new Map(names.map((name, index) => [name, index]));
    if (!columns.has("distance_mm_z0") && !columns.has("cnh__hist_bin_0_a0")) return undefined;
    const zones = countFrom((zone) => columns.has(`distance_mm_z${zone}`));
    const aggregates = countFrom((aggregate) => columns.has(`cnh__hist_bin_0_a${aggregate}`));
    const bins = names.reduce((most, name) => Math.max(most, Number(BIN.exec(name)?.[1] ?? -1) + 1), 0);
    return rows
      .filter((row) => row.trim() !== "")
      .slice(0, MAX_FRAMES)
      .map((row) => {
        const cells = row.split(",", MAX_COLUMNS);
        return frameOf((name) => numberOf(cells[columns.get(name) ?? -1]), { zones, aggregates, bins });
      });
  },
};

function frameOf(
  cell: (name: string) => number | undefined,
  size: { zones: number; aggregates: number; bins: number },
): TofReading {
  const side = sideOf(size.zones);
  const physical: PhysicalOutputs = {};
  for (const [name, output] of side ? ZONE_COLUMNS : []) {
    const values = Array.from({ length: size.zones }, (_, zone) => cell(`${name}${zone}`));
    if (values.every((value) => value === undefined)) continue;
    physical[output] = values.map((value) => value ?? (output === "targetStatus" ? NO_TARGET : 0));
  }
  const lines = new Map(
    Array.from({ length: size.aggregates }, (_, aggregate) => {
      const bins = Array.from({ length: size.bins }, (_, bin) => cell(`cnh__hist_bin_${bin}_a${aggregate}`) ?? 0);
      return [aggregate, { ambient: cell(`cnh__ambient_level_a${aggregate}`) ?? 0, bins }] as const;
    }),
  );
  const cnh = histogramsOf(lines);
  const siliconTempC = cell("silicon_temp_degc");
  const streamCount = cell("streamcount");
  const deviceTimestamp = cell("time_stamp");
  return {
    ...(side && { side }),
    targetsPerZone: 1,
    physical,
    corrupted: false,
    ...(cnh && { cnh }),
    ...(siliconTempC !== undefined && { siliconTempC }),
    ...(streamCount !== undefined && { streamCount }),
    ...(deviceTimestamp !== undefined && { deviceTimestamp }),
  };
}

function countFrom(has: (index: number) => boolean): number {
  let count = 0;
  while (count < 64 && has(count)) count += 1;
  return count;
}
