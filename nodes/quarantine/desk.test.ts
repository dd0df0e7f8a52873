import assert from "node:assert/strict";
import type { Envelope } from "../sample/inbox.ts";
import type { Person } from "../sample/roles.ts";
import type { Database } from "../timescaledb/database.ts";
import { onlyValue, targets } from "../timescaledb/fixture.test.ts";
import { storeQuarantined } from "../timescaledb/quarantine.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import { Desk } from "./desk.ts";
import { exportLines } from "./export.ts";

const ENGINEER: Person = { name: "Anne", role: "engineer" };
const QUALITY: Person = { name: "Paul", role: "quality" };
const RECEIVED_AT = "2026-01-02T03:04:05.678Z";

/** An inbox that keeps what it is given and is full when told so. */
class Taking {
  readonly taken: Envelope[] = [];
  fullFor = 0;
  async append(envelope: Envelope): Promise<string> {
    if (this.fullFor > 0) {
      this.fullFor -= 1;
      throw Object.assign(new Error("full"), { code: "inbox-full" });
    }
    this.taken.push(envelope);
    return String(this.taken.length);
  }
  waiting(): number {
    return 0;
  }
}

for (const target of targets()) {
  describe(`quarantine desk on ${target.name}`, function () {
    this.timeout(60_000);
    let database: Database;
    let inbox: Taking;
    let desk: Desk;
    let asked = 0;

    before(async () => {
      database = await target.open();
    });
    after(async () => {
      await database.close();
      await target.remove();
    });
    beforeEach(async () => {
      await database.pool.query("TRUNCATE quarantine, quarantine_pushed_out");
      inbox = new Taking();
      desk = new Desk({
        siteId: "plant",
        timeZone: "Europe/Paris",
        defaultLineId: "belt",
        inbox,
        limits: { maxRows: 100, maxBytes: 1e6 },
        onChange: () => undefined,
      });
      desk.use(database);
      await desk.refresh();
    });
    afterEach(() => desk.close());

    const put = (count: number, fields: Partial<Parameters<typeof storeQuarantined>[1][number]["record"]> = {}) =>
      inTransaction(database.pool, (client) =>
        storeQuarantined(
          client,
          Array.from({ length: count }, (_, index) => ({
            entryId: `q${asked++}`,
            record: {
              quarantine: true as const,
              reason: "not-json",
              detail: "message is not JSON",
              transport: "mqtt",
              receivedAt: RECEIVED_AT,
              siteId: "plant",
              lineId: "line-7",
              provenDeviceId: "dev-1",
              deviceId: "dev-1",
              bytes: Buffer.from(`bytes ${index}`),
              ...fields,
            },
          })),
          { maxRows: 100, maxBytes: 1e6 },
        ),
      );
    const ids = async (): Promise<string[]> =>
      (
        await database.pool.query<{ id: string }>("SELECT id::text AS id FROM quarantine ORDER BY quarantine.id")
      ).rows.map(({ id }) => id);
    /** Does an action and gives its answer. */
    const act = async (action: object, person?: Person) => {
      const request = `r${asked++}`;
      const event = await desk.act({ request, ...action }, person);
      const answer = desk.section(0).answers.find((one) => one.request === request);
      assert.ok(answer, "answered");
      return { ...answer, event };
    };
    const finished = async () => {
      for (;;) {
        const { progress } = desk.section(0);
        if (progress && !["running", "waiting"].includes(progress.state)) return progress;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    it("counts what is open by reason, with devices, times and bytes", async () => {
      await put(3);
      await put(1, { reason: "future-time", deviceId: "dev-2", bytes: Buffer.alloc(100) });
      await desk.refresh();
      const { reasons, totals, records } = desk.section(5);
      assert.equal(records, "ready");
      assert.deepEqual(
        reasons.map(({ reason, open, bytes, devices, firstAt }) => [reason, open, bytes, devices, firstAt]),
        [
          ["not-json", 3, 21, 1, RECEIVED_AT],
          ["future-time", 1, 100, 1, RECEIVED_AT],
        ],
      );
      assert.deepEqual(totals, { open: 4, records: 4, bytes: 121, maxRecords: 100, maxBytes: 1e6 });
    });

    it("lists a reason page by page and shows one with its bytes", async () => {
      await put(60);
      assert.equal((await act({ action: "quarantine.list", reason: "not-json" })).count, 50);
      const [first] = desk.section(0).lists;
      assert.ok(first?.next);
      assert.equal((await act({ action: "quarantine.list", reason: "not-json", from: first.next })).count, 10);
      const id = first.records[0]?.id ?? "";
      assert.ok((await act({ action: "quarantine.look", id })).ok);
      const [detail] = desk.section(0).details;
      assert.deepEqual(
        [detail?.id, detail?.transport, detail?.line, detail?.bytes.form, detail?.bytes.text],
        [id, "mqtt", "line-7", "text", "bytes 59"],
      );
      assert.equal((await act({ action: "quarantine.look", id: "999999999" })).error, "quarantine-gone");
    });

    it("shows what an action changed together with its answer, though it was reading when that was asked", async () => {
      await put(3);
      await act({ action: "quarantine.list", reason: "not-json" });
      const [first = "", second = ""] = await ids();
      for (const [id, action] of [
        [first, { action: "quarantine.retry", id: first }],
        [second, { action: "quarantine.discard", id: second, note: "bench" }],
      ] as const) {
        await act({ action: "quarantine.look", id });
        const reading = desk.refresh();
        assert.ok((await act(action, ENGINEER)).ok);
        const { lists, details } = desk.section(0);
        assert.ok(!lists[0]?.records.some((one) => one.id === id), `${action.action}: still among the open ones`);
        assert.notEqual(details.find((one) => one.id === id)?.state, "open");
        await reading;
      }
    });

    it("lets nobody unknown and nobody without the role change anything", async () => {
      await put(1);
      const [id] = await ids();
      const changing = [
        { action: "quarantine.retry", id },
        { action: "quarantine.retry-all", reason: "not-json" },
        { action: "quarantine.discard", id, note: "no" },
        { action: "quarantine.discard-all", reason: "not-json", note: "no" },
        { action: "quarantine.stop" },
      ];
      for (const action of changing) {
        assert.equal((await act(action)).error, "not-signed-in", action.action);
        assert.equal((await act(action, QUALITY)).error, "not-allowed", action.action);
      }
      assert.throws(() => desk.exportPool(undefined), { code: "not-signed-in" });
      assert.throws(() => desk.exportPool({ name: "Op", role: "operator" }), { code: "not-allowed" });
      assert.equal(desk.exportPool(QUALITY), database.pool);
      assert.equal(inbox.taken.length, 0);
      assert.equal(await onlyValue(database, "SELECT state FROM quarantine"), "open");
    });

    it("sends the bytes in again as they came and marks the record with who and when", async () => {
      await put(1);
      const [id] = await ids();
      const { ok, event } = await act({ action: "quarantine.retry", id }, ENGINEER);
      assert.ok(ok);
      assert.deepEqual([event?.event, event?.by, event?.id], ["quarantine-retried", "Anne", id]);
      const [taken] = inbox.taken;
      // What was in the future when it came need not be now.
      assert.ok(Date.parse(taken?.otherwiseAt ?? "") > Date.now() - 60_000);
      assert.deepEqual(inbox.taken, [
        {
          otherwiseAt: taken?.otherwiseAt,
          transport: "mqtt",
          receivedAt: RECEIVED_AT,
          siteId: "plant",
          lineId: "line-7",
          defaultLineId: "belt",
          provenDeviceId: "dev-1",
          bytes: Buffer.from("bytes 0"),
        },
      ]);
      const { rows } = await database.pool.query(
        "SELECT state, changed_by, changed_at > now() - interval '1 minute' AS lately FROM quarantine",
      );
      assert.deepEqual(rows, [{ state: "retried", changed_by: "Anne", lately: true }]);
      assert.equal((await act({ action: "quarantine.retry", id }, ENGINEER)).error, "quarantine-not-open");
      assert.equal(inbox.taken.length, 1);
    });

    it("leaves a record open that the inbox did not take", async () => {
      await put(1);
      const [id] = await ids();
      inbox.fullFor = 1;
      assert.equal((await act({ action: "quarantine.retry", id }, ENGINEER)).error, "inbox-full");
      assert.equal(await onlyValue(database, "SELECT state FROM quarantine"), "open");
    });

    it("sends in a whole reason, oldest first, without those that come back meanwhile", async () => {
      await put(45);
      await put(2, { reason: "future-time" });
      await desk.refresh();
      const append = inbox.append.bind(inbox);
      inbox.append = async (envelope) => {
        if (inbox.taken.length < 3) await put(1); // it failed again
        return append(envelope);
      };
      inbox.fullFor = 1;
      const { event } = await act({ action: "quarantine.retry-all", reason: "not-json" }, ENGINEER);
      assert.equal(event?.count, 45);
      const progress = await finished();
      assert.deepEqual([progress.state, progress.done, progress.total, progress.by], ["finished", 45, 45, "Anne"]);
      assert.deepEqual(
        inbox.taken.map(({ bytes }) => bytes.toString()),
        Array.from({ length: 45 }, (_, index) => `bytes ${index}`),
      );
      const { rows } = await database.pool.query(
        "SELECT reason, state, count(*) AS n FROM quarantine GROUP BY 1, 2 ORDER BY 1, 2",
      );
      assert.deepEqual(rows.map(Object.values), [
        ["future-time", "open", 2],
        ["not-json", "open", 4],
        ["not-json", "retried", 45],
      ]);
    });

    it("can be stopped in the middle, and runs one long job at a time", async () => {
      await put(30);
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const append = inbox.append.bind(inbox);
      inbox.append = async (envelope) => {
        if (inbox.taken.length === 5) await held;
        return append(envelope);
      };
      await act({ action: "quarantine.retry-all", reason: "not-json" }, ENGINEER);
      assert.equal(
        (await act({ action: "quarantine.retry-all", reason: "not-json" }, ENGINEER)).error,
        "quarantine-busy",
      );
      assert.ok((await act({ action: "quarantine.stop" }, ENGINEER)).ok);
      release();
      const progress = await finished();
      assert.equal(progress.state, "stopped");
      assert.ok(progress.done < 30);
      assert.equal(
        await onlyValue(database, "SELECT count(*) FROM quarantine WHERE state = 'retried'"),
        inbox.taken.length,
      );
    });

    it("closes with a note only, and keeps the bytes", async () => {
      await put(3);
      const [id] = await ids();
      assert.equal((await act({ action: "quarantine.discard", id, note: "  " }, ENGINEER)).error, "quarantine-no-note");
      assert.ok((await act({ action: "quarantine.discard", id, note: "test bench" }, ENGINEER)).ok);
      assert.equal(
        (await act({ action: "quarantine.discard-all", reason: "not-json", note: "all of it" }, ENGINEER)).count,
        2,
      );
      const { rows } = await database.pool.query(
        "SELECT state, note, changed_by, length(bytes) AS n FROM quarantine ORDER BY quarantine.id",
      );
      assert.deepEqual(rows.map(Object.values), [
        ["closed", "test bench", "Anne", 7],
        ["closed", "all of it", "Anne", 7],
        ["closed", "all of it", "Anne", 7],
      ]);
      assert.equal((await act({ action: "quarantine.retry", id }, ENGINEER)).error, "quarantine-not-open");
      await act({ action: "quarantine.list", reason: "not-json", done: true });
      assert.deepEqual(
        desk.section(0).lists[0]?.records.map(({ state, note }) => [state, note]),
        [
          ["closed", "all of it"],
          ["closed", "all of it"],
          ["closed", "test bench"],
        ],
      );
    });

    it("counts what the bounds push out: what was dealt with goes first", async () => {
      await put(60);
      const all = await ids();
      await act({ action: "quarantine.discard-all", reason: "not-json", note: "old" }, ENGINEER);
      await put(90, { reason: "future-time" });
      await desk.refresh();
      const pushed = () =>
        desk
          .section(0)
          .reasons.map(({ reason, open, closed, pushedOut, pushedOutOpen }) => [
            reason,
            open,
            closed,
            pushedOut,
            pushedOutOpen,
          ]);
      assert.deepEqual(pushed(), [
        ["future-time", 90, 0, 0, 0],
        ["not-json", 0, 10, 50, 0],
      ]);
      assert.ok(!(await ids()).includes(all[0] ?? ""));
      await put(50, { reason: "bad-field" });
      await desk.refresh();
      assert.deepEqual(pushed(), [
        ["bad-field", 50, 0, 0, 0],
        ["future-time", 50, 0, 40, 40],
        ["not-json", 0, 0, 60, 0],
      ]);
    });

    it("exports lines that hold the bytes", async () => {
      const bytes = Buffer.from([0, 1, 254, 255]);
      await put(70, { bytes });
      await put(1, { reason: "future-time" });
      const lines: string[] = [];
      for await (const line of exportLines(database.pool, { reason: "not-json", state: "open" })) lines.push(line);
      assert.equal(lines.length, 70);
      const first = JSON.parse(lines[0] ?? "");
      assert.equal(first.reason, "not-json");
      assert.equal(first.received_at, RECEIVED_AT);
      assert.deepEqual(Buffer.from(first.bytes, "base64"), bytes);
      assert.ok(lines.every((line) => line.endsWith("}\n")));
      let all = 0;
      for await (const line of exportLines(database.pool)) all += line.length > 0 ? 1 : 0;
      assert.equal(all, 71);
    });

    it("refuses what no page sends", async () => {
      for (const payload of [
        {},
        { action: "drop", request: "r" },
        { action: "quarantine.look", request: "r", id: "1; DROP" },
        { action: "quarantine.retry-all", request: "r" },
      ])
        await assert.rejects(desk.act(payload, ENGINEER), { code: "quarantine-bad-action" });
    });

    it("says that the database is away and keeps the last figures", async () => {
      await put(2);
      await desk.refresh();
      await database.close();
      await desk.refresh();
      const section = desk.section(0);
      assert.deepEqual([section.records, section.totals.open], ["away", 2]);
      assert.equal(
        (await act({ action: "quarantine.retry-all", reason: "not-json" }, ENGINEER)).error,
        "database-away",
      );
      database = await target.open();
    });
  });
}
