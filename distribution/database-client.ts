import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type pg from "pg";
import { embeddedPaths } from "../nodes/timescaledb/embedded/paths.ts";
import type { Environment } from "./environment.ts";

/**
 * How another process reaches the line's database: the server of DATABASE_URL, or the embedded one through its socket.
 * @throws Error when no embedded database runs in the data directory
 */
export function databaseClient({
  databaseUrl,
  dataDir,
}: Pick<Environment, "databaseUrl" | "dataDir">): pg.ClientConfig {
  if (databaseUrl) return { connectionString: databaseUrl };
  const path = embeddedSocket(dataDir);
  if (path === undefined)
    throw new Error(
      `no embedded database runs in ${dataDir}: start the line (npm start), or set DATA_DIR or DATABASE_URL`,
    );
  return { user: "foieflow", database: "foieflow", ssl: false, stream: () => socketStream(path) };
}

/** Where the socket of the embedded database is; undefined when none was opened, or it was closed. */
export function embeddedSocket(dataDir: string): string | undefined {
  try {
    const record: unknown = JSON.parse(readFileSync(embeddedPaths(dataDir).socketRecord, "utf8"));
    if (
      typeof record === "object" &&
      record !== null &&
      "socketPath" in record &&
      typeof record.socketPath === "string"
    )
      return record.socketPath;
  } catch {
    // no record: none runs there
  }
  return undefined;
}

/** A socket on a path: `pg` itself accepts only a directory and a port. */
function socketStream(path: string) {
  const socket = connect(path);
  socket.connect = () => socket;
  return socket;
}
