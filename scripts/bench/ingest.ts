import { availableParallelism, loadavg } from "node:os";
import pg from "pg";
import { DATABASE_PASSWORD, Line, until } from "../../test/support/line.ts";
import { PostgresServer, serverPrograms } from "../../test/support/postgres.ts";
import { LoadProcess } from "../load/process.ts";
import type { SampleKind } from "../load/samples.ts";
import { secondsToCopy } from "./copy.ts";
import { cpuSecondsOf } from "./cpu.ts";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

const CONNECTIONS = 8;
const WINDOW = 32;
const SAMPLES: Record<SampleKind, number> = {
  sqal: Number(process.env.BENCH_SAMPLES ?? 2000),
  raw: Number(process.env.BENCH_SAMPLES ?? 2000),
};
const WHAT: Record<SampleKind, string> = { sqal: "SQAL samples (JSON, 17 KB)", raw: "raw samples (CBOR, 3 KB)" };

/**
 * From a WebSocket with acknowledgements to the committed row, through every node of the shipped flows, beside the time
 * one client needs to COPY the same rows into the same tables, in the same run.
 */
export async function run(): Promise<Figure[]> {
  const figures: Figure[] = [
    { name: "processors", unit: "", value: availableParallelism() },
    { name: "load average before", unit: "", value: loadavg()[0] ?? 0 },
  ];
  const programs = serverPrograms();
  figures.push(...(await measure("embedded", {})));
  if (process.env.BENCH_DATABASE_URL) {
    figures.push(...(await measure("BENCH_DATABASE_URL", { DATABASE_URL: process.env.BENCH_DATABASE_URL })));
  } else if (programs !== undefined) {
    const server = await PostgresServer.start(programs, { fsync: true });
    try {
      figures.push(...(await measure("PostgreSQL", { DATABASE_URL: server.url })));
    } finally {
      server.stop();
    }
  } else {
    console.error("no PostgreSQL server is installed and BENCH_DATABASE_URL is not set: the embedded database only");
  }
  return figures;
}

async function measure(database: string, env: NodeJS.ProcessEnv): Promise<Figure[]> {
  const figures: Figure[] = [];
  const line = await Line.create(env);
  try {
    await line.start();
    await ingest(line, "sqal", 200, 1); // compilers and caches get warm
    for (const [index, kind] of (["sqal", "raw"] as const).entries()) {
      await clear(line);
      const count = SAMPLES[kind];
      const cpuBefore = cpuSecondsOf(line.pid);
      const seconds = await ingest(line, kind, count, 2 + index);
      const cpuSeconds = cpuSecondsOf(line.pid) - cpuBefore;
      const copySeconds = await withClient(line, secondsToCopy);
      const name = `${database}: ${WHAT[kind]}`;
      figures.push(
        { name: `${name}, WebSocket to committed row`, unit: "samples/s", value: count / seconds },
        { name: `${name}, COPY of the same rows`, unit: "samples/s", value: count / copySeconds },
        { name: `${name}, share of the COPY ceiling`, unit: "", value: copySeconds / seconds },
        { name: `${name}, processor time of the line`, unit: "ms/sample", value: (1000 * cpuSeconds) / count },
      );
    }
  } finally {
    await line.remove();
  }
  return figures;
}

/** Seconds from the first byte sent to the last sample settled. */
async function ingest(line: Line, kind: SampleKind, count: number, boot: number): Promise<number> {
  const before = await settled(line);
  const load = await LoadProcess.prepare({
    boot,
    seed: 1,
    websocketUrl: `ws://127.0.0.1:${line.port}/ws/sensors/`,
    mqttUrl: `mqtt://127.0.0.1:${line.mqttPort}`,
    devices: Array.from({ length: CONNECTIONS }, (_, n) => ({
      transport: "websocket",
      kind,
      device: `ESP32_${kind === "sqal" ? "MG" : "RAW"}_${n}`,
      window: WINDOW,
      count: count / CONNECTIONS,
    })),
  });
  const startedMs = performance.now();
  load.start();
  await until("all samples to be stored", async () => (await settled(line)) >= before + count, 600_000);
  const seconds = (performance.now() - startedMs) / 1000;
  await load.finished;
  return seconds;
}

async function settled(line: Line): Promise<number> {
  const accounts: { stored: number } = await (await fetch(`${line.base}/api/line/accounts`)).json();
  return accounts.stored;
}

async function withClient<T>(line: Line, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(
    line.env.DATABASE_URL
      ? { connectionString: line.env.DATABASE_URL }
      : { host: "127.0.0.1", port: line.dbPort, user: "foieflow", password: DATABASE_PASSWORD, database: "postgres" },
  );
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function clear(line: Line): Promise<void> {
  await line.query("TRUNCATE vl53l8ch_raw, vl53l8ch_analysis, as7341_raw, as7341_analysis, fusion_results");
}
