import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { DATABASE_PASSWORD, type Line } from "../support/line.ts";

/** The embedded engine works on one transaction at a time: if it has not answered the simplest query by now, on one of the line's. */
const BUSY_AFTER_MS = 20;

/** Resolves with true at a moment at which the line is writing a batch, with false when none was seen in time. */
export async function untilBatchIsWritten(line: Line, patienceMs: number): Promise<boolean> {
  const url = line.env.DATABASE_URL;
  const client = new pg.Client(
    url
      ? { connectionString: url }
      : { host: "127.0.0.1", port: line.dbPort, user: "foieflow", password: DATABASE_PASSWORD, database: "postgres" },
  );
  client.on("error", () => undefined); // line or server are ended under us
  await client.connect();
  const isWriting = url ? () => serverHasBatch(client) : () => engineIsBusy(client);
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (await isWriting()) return true;
    await sleep(2);
  }
  await client.end();
  return false;
}

/** A connection of the line has a transaction open that has written rows. */
async function serverHasBatch(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_stat_activity
     WHERE application_name = 'foieflow' AND backend_xid IS NOT NULL AND query ~ 'INSERT INTO (vl|as|fusion)'`,
  );
  return rows.length > 0;
}

async function engineIsBusy(client: pg.Client): Promise<boolean> {
  const answer = client.query("SELECT 1").then(
    () => false,
    () => false,
  );
  return Promise.race([answer, sleep(BUSY_AFTER_MS, true)]);
}
