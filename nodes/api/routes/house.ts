/** Models, quarantine, accounts. */
import Type from "typebox";
import { makeCursor, readCursor } from "../cursor.ts";
import { Nullable, Time } from "../fields.ts";
import { Problem } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { Cursor, Format, From, Id, Limit, once, To } from "../samples.ts";
import { Conditions } from "../sql.ts";

const number = Nullable(Type.Number());
const text = Nullable(Type.String());

const Model = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    status: Type.Union(["pending", "running", "completed", "failed"].map((status) => Type.Literal(status))),
    accuracy: number,
    val_accuracy: number,
    loss: number,
    val_loss: number,
    epochs: number,
    started_at: Nullable(Time),
    completed_at: Nullable(Time),
    error_message: text,
  },
  { "x-component": "Model" },
);

const Quarantined = Type.Object(
  {
    id: Type.String(),
    received_at: Time,
    quarantined_at: Time,
    reason: Type.String(),
    detail: Type.String(),
    transport: Type.String(),
    site_id: Type.String(),
    device_id: text,
    byte_length: Type.Integer(),
    state: Type.String(),
  },
  { "x-component": "Quarantined" },
);
const QUARANTINE_COLUMNS = Object.keys(Quarantined.properties);
const QuarantineQuery = Type.Object({
  reason: Type.Optional(Type.String({ maxLength: 200 })),
  device: Type.Optional(Id),
  state: Type.Optional(Type.String({ pattern: "^[a-z]{1,20}$" })),
  from: From,
  to: To,
  limit: Limit(1000, 100),
  cursor: Cursor,
  format: Format,
});
type Query = import("../route.ts").ApiContext["query"];

async function quarantineRows(query: Query, asked: import("typebox").Static<typeof QuarantineQuery>) {
  const { reason, device, state, from, to, limit, cursor } = asked;
  const conditions = new Conditions()
    .addIf(reason, "reason = ?")
    .addIf(device, "device_id = ?")
    .addIf(state, "state = ?")
    .addIf(from, "received_at >= ?::timestamptz")
    .addIf(to, "received_at < ?::timestamptz");
  if (cursor !== undefined) {
    const [before = ""] = readCursor(cursor, 1);
    if (!/^\d{1,18}$/.test(before)) throw new Problem(400, "bad-cursor", "cursor: not one that this API gave out");
    conditions.add("q.id < ?::bigint", before);
  }
  const columns = QUARANTINE_COLUMNS.map((name) => (name === "id" ? "q.id::text AS id" : name)).join(", ");
  const found = await query(
    `SELECT ${columns} FROM quarantine q ${conditions.where} ORDER BY q.id DESC LIMIT ${limit + 1}`,
    conditions.values,
    limit + 1,
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last ? makeCursor([String(last.id)]) : null };
}

export const HOUSE_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/analysis/models/",
    operationId: "listModels",
    tag: "analysis",
    summary: "Trained models, newest first",
    response: Type.Object({ models: Type.Array(Model), total: Type.Integer() }),
    async handle({ query }) {
      const models = await query(
        `SELECT id::text, model_type AS type, status, accuracy, val_accuracy, loss, val_loss, epochs, started_at, completed_at, error_message
         FROM ml_training_history ORDER BY created_at DESC, ml_training_history.id DESC`,
        [],
        500,
      );
      return { models: models as never, total: models.length };
    },
  }),
  route({
    method: "post",
    path: "/analysis/train/",
    operationId: "startTraining",
    tag: "analysis",
    action: "training.start",
    summary: "Starts a training",
    description: "Answers 503 `training-not-available`: this release has no training.",
    body: Type.Object(
      {
        model_type: Type.Optional(Type.String({ maxLength: 64 })),
        epochs: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        batch_size: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
        learning_rate: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
      },
      { additionalProperties: false },
    ),
    status: 202,
    response: Type.Object({ message: Type.String(), trainingId: Type.String(), status: Type.String() }),
    handle: () => Promise.reject(new Problem(503, "training-not-available", "this release has no training yet")),
  }),
  route({
    method: "get",
    path: "/quarantine",
    operationId: "listQuarantine",
    tag: "quarantine",
    summary: "What could not be understood or stored, newest first",
    query: QuarantineQuery,
    response: Type.Object({ quarantined: Type.Array(Quarantined), next: text }),
    async handle({ query }, { query: asked }) {
      const { rows, next } = await quarantineRows(query, asked);
      return { quarantined: rows as never, next };
    },
    csv: ({ query }, { query: asked }) => ({
      columns: QUARANTINE_COLUMNS,
      name: "quarantine",
      rows: once(quarantineRows(query, asked).then(({ rows }) => rows)),
    }),
  }),
  route({
    method: "get",
    path: "/line/accounts",
    operationId: "getAccounts",
    tag: "plant",
    summary: "The inbox's accounts since the start",
    response: Type.Object(
      {
        event: Type.Literal("accounts"),
        at: Time,
        siteId: Type.String(),
        received: Type.Integer(),
        stored: Type.Integer(),
        duplicate: Type.Integer(),
        quarantined: Type.Integer(),
        discarded: Type.Integer(),
        waiting: Type.Integer(),
      },
      { additionalProperties: true, "x-component": "Accounts" },
    ),
    handle: ({ accounts }) => Promise.resolve(accounts() as never),
  }),
];
