import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { embeddedPaths } from "../../nodes/timescaledb/embedded/paths.ts";
import { copyDirectory } from "./tree.ts";

/** A query this often keeps the engine ours: who sits idle in a transaction while others wait is put out. */
const HOLD_MS = 5_000;

/** What the engine says of itself while it is held. */
export interface EmbeddedFacts {
  schemaVersion: number;
  timescaledb: string | null;
  counts: Record<string, number>;
}

/**
 * Copies the embedded engine's files while the line runs. The engine has one session, and a transaction keeps it: from
 * BEGIN to ROLLBACK nothing else is executed, and after CHECKPOINT all is in the files. So they stand still and hold one
 * moment; opening the copy is opening after a clean crash. A logical dump would hold the engine many times longer
 * (compressed chunks are copied as they are) and would have to be put together again by hand. Meanwhile the inbox takes
 * samples; the writer waits.
 */
export async function copyEmbedded(config: pg.ClientConfig, dataDir: string, target: string): Promise<EmbeddedFacts> {
  const client = new pg.Client(config);
  client.on("error", () => {}); // the query that runs reports it
  await client.connect();
  let holding: NodeJS.Timeout | undefined;
  let lost: unknown;
  try {
    await client.query("BEGIN");
    const facts = await factsOf(client);
    await client.query("CHECKPOINT");
    holding = setInterval(() => {
      client.query("SELECT 1").catch((error: unknown) => {
        lost ??= error;
      });
    }, HOLD_MS);
    await copyCluster(dataDir, target);
    clearInterval(holding);
    await client.query("ROLLBACK");
    if (lost !== undefined) throw lost;
    return facts;
  } finally {
    clearInterval(holding);
    await client.end().catch(() => {});
  }
}

/** Copies the engine's files; whoever calls it keeps them still. */
export async function copyCluster(dataDir: string, target: string): Promise<void> {
  const paths = embeddedPaths(dataDir);
  const home = path.join(target, path.relative(dataDir, paths.root));
  mkdirSync(home, { recursive: true, mode: 0o700 });
  await copyDirectory(
    paths.cluster,
    path.join(home, path.basename(paths.cluster)),
    (name) => name === "postmaster.pid",
  );
}

/** Whether there are files of the engine, and they are not just being made. */
export function hasCluster(dataDir: string): boolean {
  const { cluster, creating } = embeddedPaths(dataDir);
  return existsSync(cluster) && !existsSync(creating);
}

async function factsOf(client: pg.Client): Promise<EmbeddedFacts> {
  const { rows } = await client.query<{
    version: number;
    timescaledb: string | null;
    results: number;
    quarantine: number;
  }>(`
    SELECT (SELECT max(version)::int FROM foieflow_schema_version) AS version,
      (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
      (SELECT count(*)::float8 FROM fusion_results) AS results,
      (SELECT count(*)::float8 FROM quarantine) AS quarantine`);
  const row = rows[0];
  if (!row) throw new Error("the database does not say what it is");
  return {
    schemaVersion: row.version,
    timescaledb: row.timescaledb,
    counts: { fusion_results: row.results, quarantine: row.quarantine },
  };
}
