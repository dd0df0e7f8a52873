/** How each device stands, and its own credential. */
import Type, { type Static } from "typebox";
import { Nullable, Time } from "../fields.ts";
import { Problem } from "../problem.ts";
import { type ApiContext, type Route, type Row, route } from "../route.ts";
import { Id } from "../samples.ts";

const text = Nullable(Type.String());
const count = Type.Integer({ minimum: 0 });
/** A device heard within this counts as online, ms; a heartbeat comes every 30 s. */
const ONLINE_MS = 120_000;
const MOST = 2000;

const Part = Type.Object(
  {
    state: Type.Enum(["unknown", "missing", "valid", "expiring", "expired"]),
    valid_until: Nullable(Time),
    made_by: text,
  },
  { "x-component": "CalibrationPart" },
);
const Credential = Type.Object(
  {
    state: Type.Enum(["unused", "in-use", "revoked"]),
    issued_at: Time,
    issued_by: Type.String(),
    used_at: Nullable(Time),
    revoked_at: Nullable(Time),
    revoked_by: text,
  },
  { "x-component": "DeviceCredential" },
);
const Accounts = Type.Object(
  { received: count, stored: count, duplicate: count, quarantined: count, discarded: count, refused: count },
  { "x-component": "DeviceAccounts" },
);

/** What the process knows of a device, besides the database. */
export const DeviceFacts = Type.Object({
  missing: Type.Integer({ description: "numbered samples that have not arrived, since the start" }),
  accounts: Nullable(Accounts),
  calibration: Nullable(Type.Object({ tof: Nullable(Part), spectral: Nullable(Part) })),
  credential: Nullable(Credential),
});
export type DeviceFactsView = Static<typeof DeviceFacts>;

const DeviceState = Type.Object(
  {
    device_id: Type.String(),
    line_id: text,
    status: Type.Enum(["online", "offline", "never"]),
    transport: text,
    firmware: text,
    last_seen_at: Nullable(Time),
    last_sample_at: Nullable(Time),
    clock_offset_s: Nullable(
      Type.Number({
        description:
          "median of arrival less the device's own time over its newest samples, s: its clock's error and the way here; null without a clock",
      }),
    ),
    ...DeviceFacts.properties,
  },
  { "x-component": "DeviceState" },
);
export type DeviceStateView = Static<typeof DeviceState>;

const DeviceParams = Type.Object({ device: Id });

export const DEVICE_BOARD_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/devices/state",
    operationId: "getDeviceStates",
    tag: "plant",
    summary: "How each device stands: heard of, gaps, clock, calibration, accounts, credential",
    response: Type.Object({
      devices: Type.Array(DeviceState),
      credentials: Type.Enum(["ready", "unknown"], {
        description: "unknown: their file cannot be read, or no door is open",
      }),
    }),
    async handle(context) {
      const rows = await deviceRows(context);
      const { facts, credentials } = context.devices.facts(rows.map(({ device_id }) => String(device_id)));
      const known = new Map(rows.map((row) => [String(row.device_id), row]));
      const ids = [...new Set([...known.keys(), ...facts.keys()])].sort((a, b) =>
        a.localeCompare(b, "en", { numeric: true }),
      );
      const devices = ids.map((id) => stateOf(id, known.get(id), facts.get(id), context.nowMs()));
      return { devices, credentials };
    },
  }),
  route({
    method: "post",
    path: "/devices/{device}/credential",
    operationId: "issueCredential",
    tag: "plant",
    action: "device.issue",
    summary: "Gives a device a token of its own, shown in this answer alone",
    description: "One it had before is no longer good.",
    params: DeviceParams,
    status: 201,
    response: Type.Object({ device_id: Type.String(), token: Type.String() }),
    handle: async ({ devices }, { params: { device }, person }) => ({
      device_id: device,
      token: devices.issue(device, nameOf(person)),
    }),
  }),
  route({
    method: "delete",
    path: "/devices/{device}/credential",
    operationId: "revokeCredential",
    tag: "plant",
    action: "device.revoke",
    summary: "Takes a device's token back; a connection that stands on it ends at once",
    params: DeviceParams,
    response: Type.Object({ device_id: Type.String() }),
    problems: [404],
    async handle({ devices }, { params: { device }, person }) {
      devices.revoke(device, nameOf(person));
      return { device_id: device };
    },
  }),
];

function nameOf(person: { name: string } | undefined): string {
  if (!person) throw new Problem(401, "not-signed-in", "this needs a person who has signed in");
  return person.name;
}

const orNull = (value: unknown): string | null => (typeof value === "string" ? value : null);

function stateOf(id: string, row: Row | undefined, facts: DeviceFactsView | undefined, nowMs: number): DeviceStateView {
  const seen = orNull(row?.last_seen_at);
  return {
    device_id: id,
    line_id: orNull(row?.line_id),
    status: seen === null ? "never" : nowMs - Date.parse(seen) <= ONLINE_MS ? "online" : "offline",
    transport: orNull(row?.transport),
    firmware: orNull(row?.firmware),
    last_seen_at: seen,
    last_sample_at: orNull(row?.last_sample_at),
    clock_offset_s: typeof row?.clock_offset_s === "number" ? row.clock_offset_s : null,
    ...(facts ?? { missing: 0, accounts: null, calibration: null, credential: null }),
  };
}

/** Devices with what their newest samples say of their clock: at most 21 rows each, of the last day they sent. */
const deviceRows = (context: ApiContext): Promise<Row[]> =>
  context.query(
    `SELECT d.device_id, d.line_id, d.transport, d.firmware, d.last_seen_at, d.last_sample_at, c.clock_offset_s
     FROM devices d LEFT JOIN LATERAL (
       SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - time)::float8) AS clock_offset_s
       FROM (SELECT received_at, time FROM fusion_results f
         WHERE f.device_id = d.device_id AND f.time > d.last_sample_at - interval '1 day' AND f.time <= d.last_sample_at
           AND f.time_source = 'device' AND NOT f.is_historical ORDER BY f.time DESC LIMIT 21) newest
     ) c ON true
     WHERE d.site_id = $1 OR d.site_id IS NULL ORDER BY d.device_id`,
    [context.siteId],
    MOST,
  );
