/**
 * `npm run seed-history -- --samples 1000000 --days 90`: writes an invented history into the database of DATA_DIR (or
 * DATABASE_URL), for trying pages and API on many samples. The line must be stopped where the database is embedded.
 */
import { parseArgs } from "node:util";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { messageOf } from "../nodes/host/errors.ts";
import { type Database, openDatabase } from "../nodes/timescaledb/database.ts";
import { parseRetention } from "../nodes/timescaledb/retention.ts";
import { bucketsOf, requestRefresh } from "../nodes/timescaledb/stats-queue.ts";
import { inTransaction } from "../nodes/timescaledb/transaction.ts";
import { dayStart, firstOf, type History, insertSqls, makeSql, PREPARE, STEP } from "./seed/history-sql.ts";

const USAGE = `usage: npm run seed-history -- [--samples 1000000] [--days 90] [--lines 3] [--devices 2 (per line)]
  [--breeders 40] [--lot-size 200] [--raw-days 1 (newest days with raw rows)] [--no-jobs (leave statistics and compression to the line)]`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function readOptions(): { history: History; jobs: boolean } {
  const { values } = parseArgs({
    options: {
      samples: { type: "string", default: "1000000" },
      days: { type: "string", default: "90" },
      lines: { type: "string", default: "3" },
      devices: { type: "string", default: "2" },
      breeders: { type: "string", default: "40" },
      "lot-size": { type: "string", default: "200" },
      "raw-days": { type: "string", default: "1" },
      "no-jobs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const whole = (name: Exclude<keyof typeof values, "no-jobs" | "help">, least: number, most: number) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least || number > most)
      throw new Error(`--${name} must be a whole number from ${least} to ${most}\n${USAGE}`);
    return number;
  };
  const history: History = {
    siteId: readEnvironment().site,
    samples: whole("samples", 1, 100_000_000),
    days: whole("days", 1, 3650),
    lines: whole("lines", 1, 50),
    devicesPerLine: whole("devices", 1, 50),
    breeders: whole("breeders", 1, 10_000),
    lotSize: whole("lot-size", 1, 100_000),
    rawDays: whole("raw-days", 0, 3650),
    // Yesterday is the newest day, so that no sample lies in the future.
    lastDayMs: Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS,
  };
  return { history, jobs: !values["no-jobs"] };
}

async function writeDay(database: Database, history: History, day: number): Promise<void> {
  const [first, end] = [firstOf(history, day), firstOf(history, day + 1)];
  const start = dayStart(history, day);
  const inserts = insertSqls(history.siteId, day >= history.days - history.rawDays);
  for (let from = first; from < end; from += STEP) {
    await inTransaction(
      database.pool,
      async (client) => {
        for (const sql of PREPARE) await client.query(sql);
        await client.query(makeSql(history), [from, Math.min(end, from + STEP), start, first, end - first]);
        for (const sql of inserts) await client.query(sql);
      },
      { deadlineMs: 300_000 },
    );
  }
  const hours = Array.from({ length: 24 }, (_, hour) => Date.parse(start) + hour * HOUR_MS);
  const buckets = new Map(hours.flatMap(bucketsOf).map((bucket) => [`${bucket.view} ${bucket.startMs}`, bucket]));
  await inTransaction(database.pool, (client) => requestRefresh(client, [...buckets.values()]));
}

async function main(): Promise<void> {
  loadDotEnv();
  const { history, jobs } = readOptions();
  const environment = readEnvironment();
  const database = await openDatabase({
    url: environment.databaseUrl,
    dataDir: environment.dataDir,
    extension: environment.timescaledb,
    retention: parseRetention({}, process.env),
    connections: 1,
    jobsEveryMs: 0,
  });
  try {
    await database.ready();
    const startedMs = Date.now();
    for (let day = 0; day < history.days; day++) {
      await writeDay(database, history, day);
      const done = firstOf(history, day + 1);
      const rate = Math.round(done / ((Date.now() - startedMs) / 1000));
      if (day % 10 === 9 || day === history.days - 1)
        console.log(`${dayStart(history, day).slice(0, 10)}: ${done} samples, ${rate}/s`);
    }
    if (jobs) await settle(database);
    await noteDevices(database, history);
    console.log(`done in ${Math.round((Date.now() - startedMs) / 1000)} s`);
  } finally {
    await database.close();
  }
}

async function noteDevices(database: Database, { siteId }: History): Promise<void> {
  await database.pool.query(
    `INSERT INTO devices (device_id, site_id, line_id, transport, firmware, first_seen_at, last_seen_at, last_sample_at)
      SELECT device_id, site_id, min(line_id), 'websocket', 'seed', min(first_time), max(last_time), max(last_time)
      FROM (SELECT device_id, site_id, line_id, min(time) AS first_time, max(time) AS last_time
        FROM fusion_results WHERE site_id = $1 AND device_id LIKE 'ESP32_SEED_%' GROUP BY 1, 2, 3) seen GROUP BY 1, 2
      ON CONFLICT (device_id) DO NOTHING`,
    [siteId],
  );
}

/** Statistics and compression as the running line would do them in the course of days. */
async function settle(database: Database): Promise<void> {
  for (;;) {
    const report = await database.runJobs({ all: true });
    const failed = Object.entries(report.failed);
    if (failed.length > 0) throw new Error(failed.map(([name, text]) => `${name}: ${text}`).join("; "));
    console.log(`statistics: ${report.refreshedBuckets} buckets`);
    if (report.refreshedBuckets === 0) return;
  }
}

main().catch((error) => {
  console.error(`seed-history: ${messageOf(error)}`);
  process.exit(1);
});
