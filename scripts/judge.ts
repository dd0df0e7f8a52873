/** How grading agrees with the simulator's truth (`npm run judge`): joins the truth file with the rows of the running line's database. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { GRADES } from "../nodes/sample/units.ts";
import { type JudgedTruth, type Judgement, judge, parseRows, parseTruth } from "./simulator/judgement.ts";
import { QUALITY_CLASSES } from "./simulator/quality.ts";

const USAGE = `usage: npm run judge -- [--truth PATH] [--hours H] [--json]
  --truth PATH  the simulator's truth (default: DATA_DIR/simulation/truth.ndjson, and its predecessor)
  --hours H     judge the samples of the last H hours (default: 24)
  --json        print one JSON object and nothing else`;
/** Samples taken just now may still be on their way. */
const SETTLE_S = 10;

function readTruth(path: string): JudgedTruth[] {
  const files = [`${path}.1`, path].filter((file) => existsSync(file));
  if (files.length === 0) throw new Error(`no truth in ${path}: run the simulated line first (npm run simulate)`);
  return files.flatMap((file) => parseTruth(readFileSync(file, "utf8")));
}

/** Asks the database through `scripts/sql.ts`, which knows where it is. */
function rowsOf(from: Date, to: Date): unknown {
  const sql = `SELECT device_id, sample_id, time, final_grade, final_quality_score, volume_mm3 FROM fusion_results
    WHERE time >= '${from.toISOString()}' AND time <= '${to.toISOString()}' AND device_id LIKE 'ESP32\\_DEMO\\_%'`;
  const script = fileURLToPath(new URL("sql.ts", import.meta.url));
  const text = execFileSync(process.execPath, [script, "--json", sql], {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(text);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

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
  const figure = (value: number | null): string => (value === null ? "too few samples" : value.toFixed(3));
  console.log(
    `final score against true quality: correlation ${figure(result.pearson)}, of ranks ${figure(result.spearman)}`,
  );
  const error = result.volumeError;
  if (error)
    console.log(
      `volume error: median ${percent(error.p50)}, ${percent(error.p10)} … ${percent(error.p90)} (10th … 90th percentile), mean absolute ${percent(error.meanAbsolute)}`,
    );
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
    const truth = readTruth(values.truth ?? join(readEnvironment().dataDir, "simulation", "truth.ndjson")).filter(
      ({ measuredAt }) => {
        const at = Date.parse(measuredAt);
        return at >= from.getTime() && at <= to.getTime();
      },
    );
    const result = judge(truth, parseRows(rowsOf(from, to)));
    if (values.json) console.log(JSON.stringify(result));
    else show(result);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
