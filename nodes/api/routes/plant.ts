/** What stands in the plant: devices, lines, and which lot each line works on. */
import Type from "typebox";
import { AssignmentBody } from "../../lot/record.ts";
import { makeCursor, readCursor } from "../cursor.ts";
import { Nullable, Time } from "../fields.ts";
import { Problem } from "../problem.ts";
import { type Route, type Row, route } from "../route.ts";
import { Cursor, Format, Id, Limit, once } from "../samples.ts";
import { Conditions } from "../sql.ts";

const text = Nullable(Type.String());
/** A device heard within this counts as online, ms; a heartbeat comes every 30 s. */
const ONLINE_MS = 120_000;

const Device = Type.Object(
  {
    device_id: Type.String(),
    site_id: text,
    line_id: text,
    status: Type.Union([Type.Literal("online"), Type.Literal("offline")]),
    transport: text,
    firmware: text,
    mac: text,
    ip: text,
    location: text,
    first_seen_at: Time,
    last_seen_at: Time,
    last_sample_at: Nullable(Time),
  },
  { "x-component": "Device" },
);
const DEVICE_COLUMNS = Object.keys(Device.properties);

const Assignment = Type.Object(
  {
    id: Type.String(),
    line: Type.String(),
    from: Time,
    lot: text,
    breeder: text,
    provenance: text,
    madeBy: Type.String(),
    reason: text,
    supersedes: text,
    createdAt: Time,
  },
  { "x-component": "Assignment" },
);
const LineParams = Type.Object({ line: Id });

export const PLANT_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/devices",
    operationId: "listDevices",
    tag: "plant",
    summary: "Devices that were ever heard",
    query: Type.Object({ line: Type.Optional(Id), site: Type.Optional(Id), format: Format }),
    response: Type.Object({ devices: Type.Array(Device), total: Type.Integer(), online: Type.Integer() }),
    async handle(context, { query }) {
      const devices = await deviceRows(context, query);
      const online = devices.filter(({ status }) => status === "online").length;
      return { devices: devices as never, total: devices.length, online };
    },
    csv: (context, { query }) => ({ columns: DEVICE_COLUMNS, name: "devices", rows: once(deviceRows(context, query)) }),
  }),
  route({
    method: "get",
    path: "/lines",
    operationId: "listLines",
    tag: "plant",
    summary: "Lines, with the lot and breeder in force",
    response: Type.Object({
      lines: Type.Array(
        Type.Object({
          line: Type.String(),
          site: Type.String(),
          devices: Type.Integer(),
          last_sample_at: Nullable(Time),
          assignment: Nullable(Assignment),
        }),
      ),
    }),
    async handle({ query, lots, siteId }) {
      const rows = await query(
        `SELECT site_id, line_id, sum(devices)::integer AS devices, max(last_sample_at) AS last_sample_at FROM (
           SELECT coalesce(site_id, $1) AS site_id, line_id, count(*) AS devices, max(last_sample_at) AS last_sample_at
             FROM devices WHERE line_id IS NOT NULL GROUP BY 1, 2
           UNION ALL SELECT DISTINCT site_id, line_id, 0, NULL::timestamptz FROM line_assignments
         ) known GROUP BY 1, 2 ORDER BY 1, 2`,
        [siteId],
        1000,
      );
      const lines = rows.map((row) => ({
        line: row.line_id,
        site: row.site_id,
        devices: row.devices,
        last_sample_at: row.last_sample_at,
        assignment: row.site_id === siteId ? lots.current(String(row.line_id)) : null,
      }));
      return { lines } as never;
    },
  }),
  route({
    method: "get",
    path: "/lines/{line}/assignment",
    operationId: "getAssignment",
    tag: "plant",
    summary: "The lot and breeder a line works on now",
    params: LineParams,
    response: Assignment,
    problems: [404],
    async handle({ lots }, { params: { line } }) {
      const current = lots.current(line);
      if (!current) throw new Problem(404, "no-assignment", "no lot or breeder is in force on this line");
      return current as never;
    },
  }),
  route({
    method: "put",
    path: "/lines/{line}/assignment",
    operationId: "setAssignment",
    tag: "plant",
    action: "lot.set",
    summary: "Puts a lot and breeder in force on a line",
    description:
      "Writes a dated record; none is ever changed. With `from` in the past, results stored since then that had their lot from the line follow it. `supersedes` corrects an earlier record.",
    params: LineParams,
    body: AssignmentBody,
    status: 201,
    response: Assignment,
    problems: [409],
    async handle({ lots }, { params: { line }, body, person }) {
      if (!person) throw new Problem(401, "not-signed-in", "a record needs its maker's name");
      return (await lots.set(line, body, person)) as never;
    },
  }),
  route({
    method: "get",
    path: "/lines/{line}/assignments",
    operationId: "listAssignments",
    tag: "plant",
    summary: "All records of lot and breeder of a line, also superseded ones, newest first",
    params: LineParams,
    query: Type.Object({ limit: Limit(1000, 100), cursor: Cursor }),
    response: Type.Object({
      assignments: Type.Array(Type.Object({ ...Assignment.properties, superseded_by: text })),
      next: text,
    }),
    async handle({ query, siteId }, { params: { line }, query: { limit, cursor } }) {
      const conditions = new Conditions().add("a.site_id = ?", siteId).add("a.line_id = ?", line);
      if (cursor !== undefined) {
        const [before = ""] = readCursor(cursor, 1);
        if (!/^\d{1,18}$/.test(before)) throw new Problem(400, "bad-cursor", "cursor: not one that this API gave out");
        conditions.add("a.assignment_id < ?::bigint", before);
      }
      const rows = await query(
        `SELECT a.assignment_id::text AS id, a.line_id AS line, a.valid_from AS "from", a.lot_abattage AS lot, a.eleveur AS breeder,
           a.provenance, a.made_by AS "madeBy", a.reason, a.supersedes::text AS supersedes, a.created_at AS "createdAt",
           s.assignment_id::text AS superseded_by
         FROM line_assignments a LEFT JOIN line_assignments s ON s.supersedes = a.assignment_id
         ${conditions.where} ORDER BY a.assignment_id DESC LIMIT ${limit + 1}`,
        conditions.values,
        limit + 1,
      );
      const assignments = rows.slice(0, limit);
      const last = assignments.at(-1);
      return { assignments, next: rows.length > limit && last ? makeCursor([String(last.id)]) : null } as never;
    },
  }),
];

type Which = { line?: string | undefined; site?: string | undefined };

async function deviceRows(
  { query, nowMs }: { query: import("../route.ts").ApiContext["query"]; nowMs: () => number },
  { line, site }: Which,
): Promise<Row[]> {
  const conditions = new Conditions().addIf(line, "line_id = ?").addIf(site, "site_id = ?");
  const columns = DEVICE_COLUMNS.filter((name) => name !== "status").join(", ");
  const rows = await query(
    `SELECT ${columns} FROM devices ${conditions.where} ORDER BY device_id`,
    conditions.values,
    5000,
  );
  return rows.map((row) => ({
    ...row,
    status: nowMs() - Date.parse(String(row.last_seen_at)) <= ONLINE_MS ? "online" : "offline",
  }));
}
