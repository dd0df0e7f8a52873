import type { ClientBase } from "pg";
import { CodedError, messageOf } from "../host/errors.ts";
import { rests } from "../host/rests.ts";
import { type Arrival, SAMPLE_ROWS, type SampleTable } from "./rows.ts";
import { onTheWire, type Parameters } from "./table.ts";

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

/**
 * Inserts samples into their tables, inside the caller's transaction.
 * @throws what the database refuses; then the transaction must be rolled back
 */
export async function insertSamples(client: ClientBase, arrivals: readonly Arrival[]): Promise<BatchResult> {
  const verdicts = new Map<string, Verdict>();
  const first = new Map<string, Arrival>();
  for (const arrival of arrivals) {
    const { sampleUid } = arrival.sample;
    const earlier = first.get(sampleUid);
    if (earlier && earlier.entryId !== arrival.entryId) verdicts.set(arrival.entryId, "duplicate");
    else first.set(sampleUid, arrival);
  }
  for (const arrival of await storedUnderAnotherTime(client, [...first.values()])) {
    first.delete(arrival.sample.sampleUid);
    verdicts.set(arrival.entryId, "duplicate");
  }
  const candidates = [...first.values()];
  const foreign = new Set<string>();
  let rows = 0;
  let resultTimesMs: number[] = [];
  const insertions = SAMPLE_ROWS.map((table) => ({ table, here: candidates.filter(({ sample }) => table.has(sample)) }))
    .filter(({ here }) => here.length > 0)
    .map((insertion) => ({ ...insertion, values: undefined as Parameters | undefined }));
  const rest = rests();
  for (const [index, insertion] of insertions.entries()) {
    const { table, here } = insertion;
    const inserting = insertInto(client, table, insertion.values ?? (await mapped(table, here, rest)));
    // The next table's rows are made while the database works on this one's.
    const next = insertions[index + 1];
    const mapping = next && mapped(next.table, next.here, rest);
    await Promise.allSettled([inserting, mapping]);
    const inserted = await inserting;
    if (next) next.values = await mapping;
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

async function insertInto(client: ClientBase, table: SampleTable, values: Parameters): Promise<Set<string>> {
  const result = await client.query<{ sample_uid: string }>({
    name: `foieflow-${table.name}`,
    text: table.insert,
    values,
  });
  return new Set(result.rows.map((row) => row.sample_uid));
}

async function mapped(
  table: SampleTable,
  arrivals: readonly Arrival[],
  rest: () => Promise<void> | undefined,
): Promise<Parameters> {
  try {
    return await onTheWire(table.parameters(arrivals), rest);
  } catch (cause) {
    // A sample that is not what its type says (a node in the flow changed it).
    throw new CodedError("unmappable", `${table.name}: ${messageOf(cause)}`, { cause });
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
async function storedUnderAnotherTime(client: ClientBase, arrivals: readonly Arrival[]): Promise<Arrival[]> {
  const duplicates: Arrival[] = [];
  const clockless = arrivals.filter(({ sample }) => sample.timeSource === "server");
  for (const table of SAMPLE_ROWS) {
    if (table.name !== "vl53l8ch_raw" && table.name !== "as7341_raw") continue;
    const here = clockless.filter(({ sample }) => table.has(sample));
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
