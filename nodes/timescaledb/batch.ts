import type { ClientBase } from "pg";
import { CodedError, messageOf } from "../host/errors.ts";
import { rests } from "../host/rests.ts";
import { queryBound, type WireValue } from "./bound-query.ts";
import { type Arrival, rowsOf, SAMPLE_ROWS, type SampleRows, type SampleTable } from "./rows.ts";
import { type Cells, onTheWire } from "./table.ts";

/**
 * What became of a sample:
 * - `stored`: its rows are there through this entry (now, or by an earlier try whose commit nobody saw);
 * - `duplicate`: another entry had brought it.
 */
export type Verdict = "stored" | "duplicate";

export interface BatchResult {
  /** By entry id. */
  verdicts: Map<string, Verdict>;
  /** Rows inserted now, over all tables. */
  rows: number;
  /** Times of the results inserted now, ms since 1970. */
  resultTimesMs: number[];
}

/** How far back a numbered sample without a clock is looked for under another server time, days. */
const SERVER_TIME_DAYS = 2;

/** A sample to be inserted, and its rows where they were made already. */
export interface Insertion extends Arrival {
  rows?: SampleRows | undefined;
}

interface Candidate extends Arrival {
  rows: SampleRows;
}

/**
 * Inserts samples into their tables, inside the caller's transaction.
 * @throws what the database refuses; then the transaction must be rolled back
 */
export async function insertSamples(client: ClientBase, insertions: readonly Insertion[]): Promise<BatchResult> {
  const verdicts = new Map<string, Verdict>();
  const first = new Map<string, Candidate>();
  for (const insertion of insertions) {
    const { sampleUid } = insertion.sample;
    const earlier = first.get(sampleUid);
    if (earlier && earlier.entryId !== insertion.entryId) verdicts.set(insertion.entryId, "duplicate");
    else first.set(sampleUid, { ...insertion, rows: insertion.rows ?? mapped(insertion) });
  }
  for (const arrival of await storedUnderAnotherTime(client, [...first.values()])) {
    first.delete(arrival.sample.sampleUid);
    verdicts.set(arrival.entryId, "duplicate");
  }
  const candidates = [...first.values()];
  const foreign = new Set<string>();
  let rows = 0;
  let resultTimesMs: number[] = [];
  const rest = rests();
  const steps = SAMPLE_ROWS.map((table, index) => ({ table, ...ofTable(candidates, index) })).filter(
    ({ here }) => here.length > 0,
  );
  let next = steps[0] && onTheWire(steps[0].table.parameters(steps[0].rows), rest);
  for (const [index, { table, here }] of steps.entries()) {
    const inserting = insertInto(client, table, (await next) ?? []);
    // The next table's parameters are made while the database works on this one's.
    const following = steps[index + 1];
    next = following && onTheWire(following.table.parameters(following.rows), rest);
    await Promise.allSettled([inserting, next]);
    const inserted = await inserting;
    rows += inserted.size;
    if (table.name === "fusion_results") {
      resultTimesMs = here.filter((a) => inserted.has(a.sample.sampleUid)).map((a) => Date.parse(a.sample.measuredAt));
    }
    const conflicting = here.filter(({ sample }) => !inserted.has(sample.sampleUid));
    for (const uid of await broughtByOthers(client, table, conflicting)) foreign.add(uid);
  }
  for (const { entryId, sample } of candidates) {
    verdicts.set(entryId, foreign.has(sample.sampleUid) ? "duplicate" : "stored");
  }
  return { verdicts, rows, resultTimesMs };
}

/** Those that have a row in a table, and the rows. */
function ofTable(candidates: readonly Candidate[], index: number): { here: Candidate[]; rows: Cells[] } {
  const here: Candidate[] = [];
  const rows: Cells[] = [];
  for (const candidate of candidates) {
    const row = candidate.rows[index];
    if (row === undefined) continue;
    here.push(candidate);
    rows.push(row);
  }
  return { here, rows };
}

async function insertInto(client: ClientBase, table: SampleTable, values: WireValue[]): Promise<Set<string>> {
  const statement = { name: `foieflow-${table.name}`, text: table.insert };
  const result = await queryBound<{ sample_uid: string }>(client, statement, values);
  return new Set(result.rows.map((row) => row.sample_uid));
}

function mapped(arrival: Arrival): SampleRows {
  try {
    return rowsOf(arrival);
  } catch (cause) {
    // A sample that is not what its type says (a node in the flow changed it).
    throw new CodedError("unmappable", messageOf(cause), { cause });
  }
}

/** Of samples that were there already: those that another entry brought. */
async function broughtByOthers(
  client: ClientBase,
  table: SampleTable,
  arrivals: readonly Arrival[],
): Promise<string[]> {
  if (arrivals.length === 0) return [];
  const times = arrivals.map(({ sample }) => sample.measuredAt);
  const found = await client.query<{ sample_uid: string }>(
    `SELECT t.sample_uid FROM ${table.name} t
      JOIN unnest($1::text[], $2::timestamptz[], $3::text[]) AS a (sample_uid, time, entry_id)
        ON t.sample_uid = a.sample_uid AND t.time = a.time
      WHERE t.entry_id <> a.entry_id
        AND t.time BETWEEN (SELECT min(x) FROM unnest($2::timestamptz[]) x) AND (SELECT max(x) FROM unnest($2::timestamptz[]) x)`,
    [arrivals.map(({ sample }) => sample.sampleUid), times, arrivals.map(({ entryId }) => entryId)],
  );
  return found.rows.map((row) => row.sample_uid);
}

/**
 * Samples without a clock of their own get the server's time, so a redelivery comes with another time and the unique
 * index cannot see it; their identity (boot, number) is looked for instead.
 */
async function storedUnderAnotherTime(client: ClientBase, arrivals: readonly Candidate[]): Promise<Arrival[]> {
  const duplicates: Arrival[] = [];
  const clockless = arrivals.filter(({ sample }) => sample.timeSource === "server");
  for (const [index, table] of SAMPLE_ROWS.entries()) {
    if (table.name !== "vl53l8ch_raw" && table.name !== "as7341_raw") continue;
    const { here } = ofTable(clockless, index);
    if (here.length === 0) continue;
    const found = await client.query<{ sample_uid: string }>(
      `SELECT t.sample_uid FROM ${table.name} t
        JOIN unnest($1::text[], $2::text[]) AS a (sample_uid, entry_id) ON t.sample_uid = a.sample_uid
        WHERE t.entry_id <> a.entry_id AND t.time > now() - interval '${SERVER_TIME_DAYS} days'`,
      [here.map(({ sample }) => sample.sampleUid), here.map(({ entryId }) => entryId)],
    );
    const known = new Set(found.rows.map((row) => row.sample_uid));
    duplicates.push(...here.filter(({ sample }) => known.has(sample.sampleUid)));
  }
  return duplicates;
}
