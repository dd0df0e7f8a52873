import assert from "node:assert/strict";
import { until } from "../../test/support/line.ts";
import { nodeOf } from "../../test/support/nodes.ts";
import alarmRule from "../alarm/alarm-rule.ts";
import alarms from "../alarm/alarms.ts";
import { setAuditSink } from "../host/audit.ts";
import { type Answer, Plant } from "./fixture.test.ts";
import { validatorOf } from "./parameters.ts";
import { ALARM_DEED_ROUTES } from "./routes/alarm-deeds.ts";

const as = (name: string, role: string) => ({ "x-test-person": `${name}:${role}` });
const OPERATOR = as("Léa", "operator");
const ENGINEER = as("Eva", "engineer");
const shelf = { minutes: 30, reason: "cleaning" };

describe("what people do to alarms over the API", function () {
  this.timeout(120_000);
  let plant: Plant;
  let givenDataDir: string | undefined;
  const raise = (code: string, subject?: string) =>
    nodeOf("alarms").receive({ payload: { event: "alarm-raise", code, ...(subject && { subject }) } } as never);
  const clear = (code: string) => nodeOf("alarms").receive({ payload: { event: "alarm-clear", code } } as never);
  const url = (id: string, what: string) => `/api/alarms/${encodeURIComponent(id)}/${what}`;
  const said = ({ status, json }: Answer) => [status, status < 400 ? json.state : json.code];
  const tryAgain = async (wanted: number, ask: () => Promise<Answer>) =>
    until(`status ${wanted}`, async () => {
      const answer = await ask();
      return answer.status === wanted ? answer : undefined;
    });

  before(async () => {
    plant = await Plant.open(false);
    givenDataDir = process.env.DATA_DIR;
    process.env.DATA_DIR = plant.dataDir;
    await plant.load(
      [
        { id: "alarms", type: "foieflow-alarms", z: "tab", site: "plant", database: "db", wires: [[], [], []] },
        {
          id: "rule",
          type: "foieflow-alarm-rule",
          z: "tab",
          site: "plant",
          rule: "drift-score",
          limit: 12,
          wires: [[]],
        },
      ],
      [alarms, alarmRule],
    );
  });
  after(async () => {
    await plant.close();
    if (givenDataDir === undefined) delete process.env.DATA_DIR;
    else process.env.DATA_DIR = givenDataDir;
  });

  it("acknowledges by name, once, and answers with the alarm as it is then", async () => {
    raise("disk-low");
    const ask = () => plant.send("POST", url("disk-low", "acknowledge"), "", OPERATOR);
    const answer = await tryAgain(200, ask);
    const [route] = ALARM_DEED_ROUTES;
    assert.ok(route);
    assert.deepEqual([...validatorOf(route.response).Errors(answer.json)], []);
    assert.deepEqual(
      [answer.json.state, answer.json.active, answer.json.acknowledged_by],
      ["acknowledged", true, "Léa"],
    );
    assert.deepEqual(said(await ask()), [409, "alarm-nothing-to-acknowledge"]);
    assert.deepEqual(said(await plant.send("POST", url("nobody", "acknowledge"), "", OPERATOR)), [
      404,
      "alarm-unknown",
    ]);
    await until("the records in the database", async () => {
      const { json } = await plant.get("/api/alarms/history?code=disk-low&event=acknowledged");
      return json.events[0]?.actor === "Léa";
    });
  });

  it("shelves for a time with a reason, and ends the shelf", async () => {
    raise("device-silent", "esp 1/2");
    const address = url("device-silent:esp 1/2", "shelf");
    const before = Date.now();
    const { json } = await tryAgain(200, () => plant.send("PUT", address, shelf, OPERATOR));
    assert.deepEqual(
      [json.state, json.subject, json.hold.by, json.hold.reason],
      ["shelved", "esp 1/2", "Léa", "cleaning"],
    );
    assert.ok(Math.abs(Date.parse(json.hold.until) - before - 30 * 60_000) < 5000, json.hold.until);
    assert.deepEqual(said(await plant.send("DELETE", address, "", OPERATOR)), [200, "unacknowledged"]);
    assert.deepEqual(said(await plant.send("DELETE", address, "", OPERATOR)), [409, "alarm-not-held"]);
  });

  it("takes out of service and puts back, which is an engineer's", async () => {
    raise("saturation");
    const address = url("saturation", "out-of-service");
    await tryAgain(403, () => plant.send("PUT", address, { reason: "r" }, OPERATOR));
    assert.deepEqual(said(await plant.send("PUT", address, { reason: "new lamp" }, ENGINEER)), [200, "out-of-service"]);
    assert.deepEqual(said(await plant.send("PUT", url("saturation", "shelf"), shelf, OPERATOR)), [
      409,
      "alarm-out-of-service",
    ]);
    clear("saturation");
    assert.deepEqual(said(await plant.send("DELETE", address, "", ENGINEER)), [200, "normal"]);
  });

  it("refuses who may not, other sites' pages, and what is no such request; nothing changes", async () => {
    raise("backlog-age");
    const state = async () => {
      const { json } = await plant.get("/api/alarms");
      return json.alarms.find(({ code }: { code: string }) => code === "backlog-age")?.state;
    };
    await until("the alarm", async () => (await state()) === "unacknowledged");
    const bodies: Record<string, object | ""> = { shelf, "out-of-service": { reason: "r" }, acknowledge: "" };
    for (const { method, path } of ALARM_DEED_ROUTES) {
      const what = path.split("/").at(-1) ?? "";
      const address = url("backlog-age", what);
      const send = (headers: Record<string, string>, body: unknown = bodies[what]) =>
        plant.send(method.toUpperCase(), address, body, headers);
      assert.deepEqual(said(await send({})), [401, "not-signed-in"], address);
      assert.deepEqual(said(await send(as("Vic", "viewer"))), [403, "not-allowed"], address);
      const evil = { ...ENGINEER, origin: "http://evil.example" };
      assert.deepEqual(said(await send(evil)), [403, "bad-origin"], address);
      if (method !== "put") continue;
      const form = { ...ENGINEER, "content-type": "text/plain" };
      assert.deepEqual(said(await send(form)), [415, "not-json"], address);
      const bad = [{}, { ...shelf, reason: " " }, { ...shelf, reason: "x".repeat(201) }, { ...shelf, by: "Max" }, []];
      if (what === "shelf") bad.push({ ...shelf, minutes: 481 }, { ...shelf, minutes: 0 }, { reason: "r" });
      for (const body of bad) assert.deepEqual(said(await send(ENGINEER, body)), [400, "bad-request"], address);
    }
    assert.equal(await state(), "unacknowledged");
  });

  it("sets a rule's limit for the running line and goes back to the flow's, which is an engineer's", async () => {
    const address = "/api/alarms/rules/drift-score/limit";
    const rule = await until("the rule", async () => (await plant.get("/api/alarms/rules")).json.rules[0]);
    assert.deepEqual([rule.rule, rule.limit_value, rule.flow_limit_value, rule.set_by], ["drift-score", 12, 12, null]);
    const noted: unknown[] = [];
    setAuditSink(() => undefined);
    setAuditSink(({ action, who, result, before, after }) => noted.push([action, who?.name, result, before, after]));
    try {
      const refusals = [
        [await plant.send("PUT", address, { limit: 3 }, OPERATOR), 403, "not-allowed"],
        [await plant.send("PUT", address, { limit: 3 }), 401, "not-signed-in"],
        [await plant.send("PUT", address, { limit: 101 }, ENGINEER), 400, "alarm-limit-out-of-range"],
        [await plant.send("PUT", address, { limit: null }, ENGINEER), 400, "bad-request"],
        [
          await plant.send("PUT", "/api/alarms/rules/disk-low/limit", { limit: 100 }, ENGINEER),
          404,
          "alarm-no-such-rule",
        ],
      ] as const;
      for (const [answer, status, code] of refusals) assert.deepEqual(said(answer), [status, code]);
      const set = await plant.send("PUT", address, { limit: 3 }, ENGINEER);
      assert.deepEqual([set.status, set.json.limit_value, set.json.set_by], [200, 3, "Eva"]);
      assert.deepEqual((await plant.get("/api/alarms/rules")).json.rules, [set.json]);
      const back = await plant.send("DELETE", address, "", ENGINEER);
      assert.deepEqual([back.status, back.json], [200, rule]);
    } finally {
      setAuditSink(undefined);
    }
    assert.deepEqual(
      noted.filter((entry) => Array.isArray(entry) && entry[2] === "done"),
      [
        ["alarm.limit", "Eva", "done", 12, 3],
        ["alarm.limit", "Eva", "done", 3, 12],
      ],
    );
  });

  it("notes who did it in the audit log, refusals too", async () => {
    const noted: unknown[] = [];
    raise("reject-rate");
    await until("the alarm", async () =>
      (await plant.get("/api/alarms")).json.alarms.some(({ code }: { code: string }) => code === "reject-rate"),
    );
    // What waited from before goes elsewhere.
    setAuditSink(() => undefined);
    setAuditSink(({ action, who, target, result, after }) => noted.push([action, who?.name, target, result, after]));
    try {
      await plant.send("PUT", url("reject-rate", "shelf"), shelf, as("Vic", "viewer"));
      await plant.send("PUT", url("reject-rate", "shelf"), shelf, OPERATOR);
      await plant.send("POST", url("reject-rate", "acknowledge"), "", OPERATOR);
    } finally {
      setAuditSink(undefined);
    }
    assert.deepEqual(noted, [
      ["alarm.shelve", "Vic", "/alarms/reject-rate/shelf", "refused", undefined],
      ["alarm.shelve", "Léa", "/alarms/reject-rate/shelf", "done", shelf],
      ["alarm.ack", "Léa", "/alarms/reject-rate/acknowledge", "failed", undefined],
    ]);
  });
});
