import Type, { type Static } from "typebox";
import { bytesAsTheyCame } from "../../sample/raw-bytes.ts";
import { Nullable } from "../fields.ts";
import { Problem } from "../problem.ts";
import { type Route, type Row, route } from "../route.ts";
import { Cursor, FILTERS, Format, Limit, SamplePage, samplePage, samplesCsv } from "../samples.ts";
import { COLOUR_SQL, FUSION_SQL, SHAPE_SQL, Update, updateOfRows } from "../update.ts";

const Uid = Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" });
const UidParams = Type.Object({ uid: Uid });
const TimeHint = Type.Optional(
  Type.String({ format: "date-time", description: "its `time`, where it is known: then only that day is searched" }),
);

const Raw = Type.Object({
  format: Type.String(),
  byte_length: Type.Integer(),
  href: Type.String({ description: "where the bytes are, relative to this document" }),
});
const Table = Nullable(Type.Record(Type.String(), Type.Unknown()));
const Everything = Type.Object(
  {
    sample_uid: Type.String(),
    time: Type.String({ format: "date-time" }),
    fusion_results: Table,
    vl53l8ch_analysis: Table,
    as7341_analysis: Table,
    vl53l8ch_raw: Table,
    as7341_raw: Table,
    raw: Type.Object({ vl53l8ch: Nullable(Raw), as7341: Nullable(Raw) }),
    calibration: Table,
    assignment: Table,
  },
  { "x-component": "SampleDetail" },
);

export type SampleAnswer = Static<typeof Everything>;

const TABLES = ["fusion_results", "vl53l8ch_analysis", "as7341_analysis", "vl53l8ch_raw", "as7341_raw"] as const;
const DAY_MS = 86_400_000;
const notFound = () => new Problem(404, "no-such-sample", "there is no such sample");

type Query = (text: string, values: readonly unknown[], rowLimit: number) => Promise<Row[]>;

/** When a sample was measured: looked for among results first, then among frames and readings. */
async function timeOf(query: Query, uid: string, hint: string | undefined): Promise<string> {
  for (const table of ["fusion_results", "vl53l8ch_raw", "as7341_raw", "vl53l8ch_analysis", "as7341_analysis"]) {
    const around = hint === undefined ? "" : "AND time BETWEEN $2 AND $3";
    const values = [uid];
    if (hint !== undefined)
      for (const sign of [-1, 1]) values.push(new Date(Date.parse(hint) + (sign * DAY_MS) / 2).toISOString());
    const text = `SELECT time FROM ${table} WHERE sample_uid = $1 ${around} ORDER BY time DESC LIMIT 1`;
    const [row] = await query(text, values, 1);
    if (typeof row?.time === "string") return row.time;
  }
  throw notFound();
}

/** A row as JSON: bytes stay behind their link, and what is null is left out. */
function shown(row: Row | undefined): Row | null {
  if (!row) return null;
  const entries = Object.entries(row).filter(([name, value]) => value !== null && name !== "raw_bytes");
  return Object.fromEntries(entries);
}

function rawOf(row: Row | undefined, sensor: string, uid: string): Row | null {
  if (!row || typeof row.raw_length !== "number" || typeof row.raw_format !== "string") return null;
  const time = encodeURIComponent(String(row.time));
  return { format: row.raw_format, byte_length: row.raw_length, href: `${uid}/raw/${sensor}?time=${time}` };
}

export const SAMPLE_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/samples",
    operationId: "listSamples",
    tag: "samples",
    summary: "Graded samples, newest first, by filters",
    description:
      "Pages follow each other by `cursor`; rows that come meanwhile move none of them. As CSV the limit may be 1,000,000 rows, sent as they are read.",
    query: Type.Object({ ...FILTERS, limit: Limit(1000, 100), cursor: Cursor, format: Format }),
    response: SamplePage,
    handle: (context, { query: { limit, cursor, ...filters } }) => samplePage(context, filters, limit, cursor),
    csv: (context, { query: { limit, cursor, ...filters } }) => samplesCsv(context, filters, limit, cursor),
  }),
  route({
    method: "get",
    path: "/samples/{uid}",
    operationId: "getSample",
    tag: "samples",
    summary: "Everything stored about a sample",
    params: UidParams,
    query: Type.Object({ time: TimeHint }),
    response: Everything,
    problems: [404],
    async handle({ query }, { params: { uid }, query: { time: hint } }) {
      const time = await timeOf(query, uid, hint);
      const rows = new Map<string, Row | undefined>();
      for (const table of TABLES) {
        const bytes = table.endsWith("_raw") ? ", coalesce(t.raw_length, octet_length(t.raw_bytes)) AS raw_length" : "";
        const columns = table.endsWith("_raw")
          ? `(to_jsonb(t) - 'raw_bytes') AS row, t.time, t.raw_format${bytes}`
          : "to_jsonb(t) AS row, t.time";
        const [row] = await query(
          `SELECT ${columns} FROM ${table} t WHERE t.sample_uid = $1 AND t.time = $2`,
          [uid, time],
          1,
        );
        rows.set(table, row);
      }
      const of = (table: (typeof TABLES)[number]): Row | null => {
        const row = rows.get(table)?.row;
        return isRow(row) ? shown(row) : null;
      };
      const fusion = of("fusion_results");
      const device = fusion?.device_id ?? of("vl53l8ch_raw")?.device_id ?? of("as7341_raw")?.device_id;
      // Rows from before they kept it: what was in force when it was measured.
      const used =
        fusion?.calibration_id ?? of("vl53l8ch_analysis")?.calibration_id ?? of("as7341_analysis")?.calibration_id;
      const [calibration] = await query(
        `SELECT calibration_id, version, valid_from, valid_until, made_by, reason FROM calibrations
         WHERE CASE WHEN $3::text IS NULL THEN device_id = $1 AND valid_from <= $2 AND valid_until > $2
                    ELSE calibration_id = ANY (string_to_array($3::text, '+')) END
         ORDER BY version DESC`,
        [device ?? "", time, used ?? null],
        1,
      );
      const [assignment] = await query(
        `SELECT assignment_id::text, valid_from, lot_abattage, eleveur, made_by, reason, created_at FROM line_assignments
         WHERE assignment_id = $1::bigint`,
        [fusion?.assignment_id ?? null],
        1,
      );
      return {
        sample_uid: uid,
        time,
        fusion_results: fusion,
        vl53l8ch_analysis: of("vl53l8ch_analysis"),
        as7341_analysis: of("as7341_analysis"),
        vl53l8ch_raw: of("vl53l8ch_raw"),
        as7341_raw: of("as7341_raw"),
        raw: {
          vl53l8ch: rawOf(rows.get("vl53l8ch_raw"), "vl53l8ch", uid),
          as7341: rawOf(rows.get("as7341_raw"), "as7341", uid),
        },
        calibration: shown(calibration),
        assignment: shown(assignment),
      } as never;
    },
  }),
  route({
    method: "get",
    path: "/samples/{uid}/raw/{sensor}",
    operationId: "getRawBytes",
    tag: "samples",
    summary: "The message as the device sent it",
    description: "Where both sensors came in one message, its bytes are kept with the vl53l8ch.",
    params: Type.Object({ uid: Uid, sensor: Type.Union([Type.Literal("vl53l8ch"), Type.Literal("as7341")]) }),
    query: Type.Object({ time: TimeHint }),
    response: Type.Unknown(),
    contentType: "application/octet-stream",
    problems: [404],
    async handle({ query }, { params: { uid, sensor }, query: { time: hint } }) {
      const time = await timeOf(query, uid, hint);
      const [row] = await query(
        `SELECT raw_bytes, raw_encoding, raw_length FROM ${sensor}_raw WHERE sample_uid = $1 AND time = $2`,
        [uid, time],
        1,
      );
      if (!Buffer.isBuffer(row?.raw_bytes)) throw notFound();
      const bytes = await bytesAsTheyCame(row.raw_bytes, row.raw_encoding, row.raw_length);
      return { contentType: "application/octet-stream", name: `${uid}-${sensor}.bin`, bytes };
    },
  }),
];

/** The newest graded sample of these filters, as SQAL's clients know it. */
export async function latestUpdate(query: Query, where: string, values: readonly unknown[]): Promise<Row | undefined> {
  const [fusion] = await query(`${FUSION_SQL} ${where} ORDER BY time DESC LIMIT 1`, values, 1);
  if (!fusion) return undefined;
  const key = [fusion.sample_uid, fusion.time];
  const [[shape], [colour]] = [await query(SHAPE_SQL, key, 1), await query(COLOUR_SQL, key, 1)];
  return updateOfRows(fusion, shape, colour);
}

export { Update };

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
