/** How grading agrees with the simulator's truth (`npm run judge`): joins the truth file with the rows of the running line's database. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { GRADES } from "../nodes/sample/units.ts";
import { type Judgement, judge, parseRows, parseTruth } from "./simulator/judgement.ts";
import {
  type BeltJudgement,
  DEFECT_KINDS,
  DENT_DEPTH_MM,
  DENT_DIAMETER_MM,
  judgeProducts,
  parseProductRows,
  parseProductTruth,
  STAIN_SHARE,
} from "./simulator/judgement-belt.ts";
import { QUALITY_CLASSES } from "./simulator/quality.ts";

const USAGE = `usage: npm run judge -- [--truth PATH] [--hours H] [--json]
  --truth PATH  the simulator's truth (default: DATA_DIR/simulation/truth.ndjson, and its predecessor)
  --hours H     judge the samples of the last H hours (default: 24)
  --json        print one JSON object and nothing else`;
/** Samples taken just now may still be on their way. */
const SETTLE_S = 10;

function readTruth(path: string): string {
  const files = [`${path}.1`, path].filter((file) => existsSync(file));
  if (files.length === 0) throw new Error(`no truth in ${path}: run the simulated line first (npm run simulate)`);
  return files.map((file) => readFileSync(file, "utf8")).join("\n");
}

/** Asks the database through `scripts/sql.ts`, which knows where it is. */
function ask(sql: string): unknown {
  const script = fileURLToPath(new URL("sql.ts", import.meta.url));
  const text = execFileSync(process.execPath, [script, "--json", sql], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(text);
}

const period = (from: Date, to: Date, time = "time"): string =>
  `${time} >= '${from.toISOString()}' AND ${time} <= '${to.toISOString()}'`;

const sampleRows = (from: Date, to: Date): unknown =>
  ask(`SELECT device_id, sample_id, time, final_grade, final_quality_score, volume_mm3 FROM fusion_results
    WHERE ${period(from, to)} AND device_id LIKE 'ESP32\\_DEMO\\_%' AND device_id NOT LIKE 'ESP32\\_DEMO\\_RAW\\_%'`);

// Through jsonb, as the column came with a later version of the schema.
const productRows = (from: Date, to: Date): unknown =>
  ask(`SELECT f.device_id, f.product_id, f.time, f.final_grade, f.final_quality_score, f.mass_g, f.defects,
      to_jsonb(a)->>'mass_half_width_g' AS mass_half_width_g
    FROM fusion_results f LEFT JOIN vl53l8ch_analysis a ON a.sample_uid = f.sample_uid AND a.time = f.time
    WHERE ${period(from, to, "f.time")} AND f.device_id LIKE 'ESP32\\_DEMO\\_RAW\\_%'
      AND f.final_grade NOT IN ('NO_PRODUCT', 'PARTIAL')
    ORDER BY f.time`);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const figure = (value: number | null): string => (value === null ? "too few samples" : value.toFixed(3));

function show(result: Judgement): void {
  console.log(
    `${result.truths} samples in the truth, ${result.matched} graded, ${result.missing} not in the database, ${result.duplicates} doubled`,
  );
  if (result.spoiled > 0)
    console.log(`${result.spoiled} spoiled on purpose, ${result.spoiledStored} of them graded all the same`);
  const table = new Table({
    head: ["class", ...GRADES, "graded"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
  });
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  for (const name of QUALITY_CLASSES) {
    const counts = GRADES.map((grade) => result.confusion[name][grade]);
    table.push([name, ...counts, sum(counts)]);
  }
  const totals = GRADES.map((grade) => sum(QUALITY_CLASSES.map((name) => result.confusion[name][grade])));
  table.push(["all", ...totals.map((n) => (result.matched > 0 ? percent(n / result.matched) : "")), result.matched]);
  console.log(table.toString());
  console.log(
    `final score against true quality: correlation ${figure(result.pearson)}, of ranks ${figure(result.spearman)}`,
  );
  const error = result.volumeError;
  if (error)
    console.log(
      `volume error: median ${percent(error.p50)}, ${percent(error.p10)} … ${percent(error.p90)} (10th … 90th percentile), mean absolute ${percent(error.meanAbsolute)}`,
    );
}

function showBelt(result: BeltJudgement): void {
  const { matched, missing, split, strays, massError, interval } = result;
  console.log(
    `${result.products} products on belts, ${matched} graded once, ${missing} never, ${split} more than once; ${strays} graded rows of no product`,
  );
  if (massError)
    console.log(
      `mass error: mean ${percent(massError.mean)}, median ${percent(massError.p50)}, ${percent(massError.p10)} … ${percent(massError.p90)} (10th … 90th percentile), mean absolute ${percent(massError.meanAbsolute)}`,
    );
  if (interval)
    console.log(
      `stated 95 % intervals: ${percent(interval.coverage)} hold the true mass, median half-width ${percent(interval.halfWidth)}`,
    );
  const table = new Table({
    head: ["defect", "there", "found", "recall", "absent", "false alarms", "share"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
  });
  for (const kind of DEFECT_KINDS) {
    const { there, found, absent, falseAlarms } = result.defects[kind];
    const share = (part: number, whole: number): string => (whole > 0 ? percent(part / whole) : "");
    table.push([kind, there, found, share(found, there), absent, falseAlarms, share(falseAlarms, absent)]);
  }
  console.log(table.toString());
  console.log(
    `counted as there: dents from ${DENT_DIAMETER_MM} mm across and ${DENT_DEPTH_MM} mm deep, stains over ${percent(STAIN_SHARE)} of the spectral spot; as absent: none of the kind`,
  );
  console.log(`final score against true quality: correlation ${figure(result.pearson)}`);
}

try {
  loadDotEnv();
  const { values } = parseArgs({
    options: {
      truth: { type: "string" },
      hours: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) console.log(USAGE);
  else {
    const hours = Number(values.hours ?? "24");
    if (!(hours > 0 && hours <= 24 * 366)) throw new Error(`--hours must be a positive number\n${USAGE}`);
    const to = new Date(Date.now() - SETTLE_S * 1000);
    const from = new Date(to.getTime() - hours * 3_600_000);
    const truth = readTruth(values.truth ?? join(readEnvironment().dataDir, "simulation", "truth.ndjson"));
    const within = (ms: number): boolean => ms >= from.getTime() && ms <= to.getTime();
    const samples = parseTruth(truth).filter(({ measuredAt }) => within(Date.parse(measuredAt)));
    const products = parseProductTruth(truth).filter(({ enteredMs, leftMs }) => within(enteredMs) && within(leftMs));
    const belt = products.length > 0 ? judgeProducts(products, parseProductRows(productRows(from, to))) : undefined;
    // Nothing at all in the period is said of samples, as before there were belts.
    const result = samples.length > 0 || !belt ? judge(samples, parseRows(sampleRows(from, to))) : undefined;
    if (values.json) console.log(JSON.stringify({ ...result, ...(belt && { belt }) }));
    else {
      if (result) show(result);
      if (belt) showBelt(belt);
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
