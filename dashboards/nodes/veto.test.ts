import assert from "node:assert/strict";
import { type AuditRecord, setAuditSink } from "@foieflow/node-red-foieflow/host/audit.js";
import { setPerson } from "@foieflow/node-red-foieflow/host/person.js";
import { ACTIONS, atLeast, type Person, ROLES } from "@foieflow/node-red-foieflow/sample/roles.js";
import type { NodeAPI } from "node-red";
import init from "./people.ts";
import { rule } from "./veto.ts";

interface Hooks {
  onAction(conn: object, id: string, msg: unknown): unknown;
  onChange(conn: object, id: string, msg: unknown): unknown;
  onSend(conn: object, id: string, msg: unknown): unknown;
  onAddConnectionCredentials(conn: object, msg: object): { _client?: unknown };
}

describe("the veto on what pages ask for", () => {
  const as = (role: Person["role"]): Person => ({ name: role, role });
  const types: Record<string, string> = {
    samples: "ui-foieflow-samples",
    calibration: "ui-foieflow-calibration",
    button: "ui-button",
  };
  const log: AuditRecord[] = [];
  let hooks: Hooks;

  before(() => {
    init({
      nodes: { getNode: (id: string) => (types[id] ? { type: types[id] } : null) },
      plugins: { registerPlugin: (_id: string, plugin: { hooks: Hooks }) => (hooks = plugin.hooks) },
    } as unknown as NodeAPI);
    setAuditSink((record) => log.push(record));
  });
  after(() => setAuditSink(undefined));
  beforeEach(() => log.splice(0));

  function connection(person: Person | (() => Person | undefined) | undefined) {
    const request = {};
    if (person) setPerson(request, person);
    const told: unknown[][] = [];
    return { request, told, handshake: { address: "10.0.0.9" }, emit: (...said: unknown[]) => told.push(said) };
  }

  it("follows the table: every action, for every role", () => {
    for (const [action, needed] of Object.entries(ACTIONS))
      for (const role of ROLES) {
        const ruling = rule(as(role), { event: "action", type: "ui-foieflow-any", msg: { payload: { action } } });
        assert.equal(ruling.allowed, atLeast(role, needed), `${role} ${action}`);
      }
  });

  it("lets what is allowed pass, and tells the page about what is not", () => {
    const payload = { action: "calibration.start", device: "d" };
    const quality = connection(as("quality"));
    assert.deepEqual(hooks.onAction(quality, "calibration", { payload }), { payload });
    assert.deepEqual(quality.told, []);
    const operator = connection(as("operator"));
    assert.equal(hooks.onAction(operator, "calibration", { payload }), null);
    assert.deepEqual(operator.told, [["foieflow-refused", { action: "calibration.start", needed: "quality" }]]);
    assert.deepEqual(
      log.map(({ who, action, result, from, after }) => [who?.name, action, result, from, after]),
      [
        ["quality", "calibration.start", "done", "10.0.0.9", payload],
        ["operator", "calibration.start", "refused", "10.0.0.9", payload],
      ],
    );
  });

  it("needs an operator for a stock widget, whatever action the page names", () => {
    const msg = { payload: { action: "sample.inspect" } };
    for (const [role, allowed] of [
      ["viewer", false],
      ["operator", true],
    ] as const) {
      const conn = connection(as(role));
      assert.equal(hooks.onAction(conn, "button", msg) !== null, allowed);
      assert.equal(hooks.onChange(conn, "button", {}) !== null, allowed);
      assert.equal(hooks.onSend(conn, "button", {}) !== null, allowed);
    }
    assert.equal(hooks.onAction(connection(as("viewer")), "samples", msg), msg);
  });

  it("lets nobody put words into the mouth of our widgets, nor several messages through as one", () => {
    const engineer = connection(as("engineer"));
    const section = { payload: { section: "samples", view: "x", serverMs: 1, action: "sample.inspect" } };
    assert.equal(hooks.onSend(engineer, "samples", section), null);
    assert.equal(hooks.onChange(engineer, "samples", section), null);
    assert.equal(hooks.onAction(engineer, "samples", [section]), null);
    for (const payload of [undefined, null, "x", {}, { action: 7 }, { action: "" }, { action: "no.such" }])
      assert.equal(hooks.onAction(engineer, "samples", { payload }), null);
    assert.equal(hooks.onAction(engineer, "samples", null), null);
  });

  it("asks the sign-in anew each time: one that is over counts no more", () => {
    let person: Person | undefined = as("quality");
    const conn = connection(() => person);
    const msg = { payload: { action: "calibration.cancel", device: "d" } };
    assert.notEqual(hooks.onAction(conn, "calibration", msg), null);
    person = as("viewer");
    assert.equal(hooks.onAction(conn, "calibration", msg), null);
    person = undefined;
    assert.equal(hooks.onAction(conn, "calibration", msg), null);
    assert.equal(hooks.onAction(conn, "samples", { payload: { action: "sample.inspect" } }), null);
  });

  it("names who the sign-in proved, and nobody whom the page makes up", () => {
    const forged = { payload: { action: "sample.inspect" }, _client: { user: as("admin"), socketId: "x" } };
    const viewer = connection(as("viewer"));
    assert.deepEqual(hooks.onAction(viewer, "samples", forged), { payload: forged.payload });
    assert.deepEqual(hooks.onAddConnectionCredentials(viewer, structuredClone(forged))._client, { user: as("viewer") });
    const over = connection(() => undefined);
    assert.deepEqual(hooks.onAddConnectionCredentials(over, structuredClone(forged))._client, {});
  });

  it("leaves a dashboard without a sign-in alone, but for what a page claims about itself", () => {
    const conn = connection(undefined);
    assert.deepEqual(hooks.onAction(conn, "button", { payload: 1, _client: { user: as("admin") } }), { payload: 1 });
    assert.deepEqual(log, []);
  });
});
