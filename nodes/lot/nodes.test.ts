import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import helper from "node-red-node-test-helper";
import { directoryWithDatabase } from "../../test/support/database-template.ts";
import { closeServices, openServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import type { Person } from "../sample/roles.ts";
import type { Sample } from "../sample/sample.ts";
import { insertSamples } from "../timescaledb/batch.ts";
import type { Database } from "../timescaledb/database.ts";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { databaseService } from "../timescaledb/service.ts";
import timescaledb from "../timescaledb/timescaledb.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import lot from "./lot.ts";
import type { LotSection } from "./page.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

type Message = { payload: unknown; entryId?: string; error?: { message: string } };
const operator: Person = { name: "lea", role: "operator" };
const MINUTE = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE).toISOString();

describe("foieflow-lot", function () {
  this.timeout(60_000);
  let dataDir: string;
  let database: Database;
  let release: () => void;
  before(async () => {
    dataDir = await directoryWithDatabase("lot");
    const lease = databaseService({ dataDir, embedded: { fsync: false }, jobsEveryMs: 0 });
    release = lease.release;
    database = await lease.value;
    await helper.startServer();
  });
  afterEach(() => helper.unload());
  after(async () => {
    release();
    await closeServices(openServices());
    await helper.stopServer();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function load() {
    const received: Record<"out" | "page" | "errors", Message[]> = { out: [], page: [], errors: [] };
    await helper.load(
      [siteNode, timescaledb, lot],
      [
        { id: "tab", type: "tab", label: "t" },
        { id: "plant", type: "foieflow-site", siteId: "site", lineId: "line", timeZone: "Europe/Paris" },
        { id: "db", type: "foieflow-timescaledb", dataDir },
        { id: "n", type: "foieflow-lot", z: "tab", site: "plant", database: "db", wires: [["out"], ["page"]] },
        { id: "caught", type: "catch", z: "tab", scope: null, wires: [["errors"]] },
        ...["out", "page", "errors"].map((id) => ({ id, type: "helper", z: "tab", wires: [] })),
      ],
    );
    for (const [id, list] of Object.entries(received))
      helper.getNode(id).on("input", (msg: unknown) => list.push(msg as Message));
    const until = async (condition: () => unknown) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const page = () => received.page.at(-1)?.payload as LotSection | undefined;
    await until(() => page()?.records === "ready");
    const send = (payload: unknown, person?: Person) =>
      helper.getNode("n").receive({ payload, ...(person && { _client: { user: person } }) } as never);
    const set = async (change: object, person: Person | undefined = operator): Promise<LotSection["answer"]> => {
      const before = received.page.length;
      send({ action: "lot.set", line: "line", lot: "L", breeder: "B", ...change }, person);
      const answer = () =>
        received.page.slice(before).flatMap(({ payload }) => (payload as LotSection).answer ?? [])[0];
      await until(answer);
      return answer();
    };
    const pass = async (sample: Sample): Promise<Sample> => {
      const before = received.out.length;
      send(sample);
      await until(() => received.out.length > before);
      return received.out.at(-1)?.payload as Sample;
    };
    return { received, page, send, set, pass, until };
  }

  const silent = (measuredAt: string) => {
    const { lotAbattage: _lot, eleveur: _eleveur, ...sample } = makeSample({ measuredAt });
    return sample as Sample;
  };
  const stored = async (sample: Sample) =>
    (
      await database.pool.query(
        "SELECT lot_abattage, eleveur, lot_source, assignment_id FROM fusion_results WHERE sample_uid = $1",
        [sample.sampleUid],
      )
    ).rows[0];
  const store = (sample: Sample) =>
    inTransaction(database.pool, (client) => insertSamples(client, [{ entryId: sample.sampleUid, sample }]));

  it("changes a line's lot, by the time of measurement and with the person's name", async () => {
    const { set, pass, page } = await load();
    const first = await set({ lot: "LOT-A", from: ago(60) });
    const second = await set({ lot: "LOT-B", breeder: "Ferme Éric", provenance: "Gers", from: ago(10) });
    assert.ok(first && "id" in first && second && "id" in second);
    const now = await pass(silent(ago(1)));
    assert.deepEqual(
      [now.lotAbattage, now.eleveur, now.provenance, now.lotSource, now.assignmentId],
      ["LOT-B", "Ferme Éric", "Gers", "line", second.id],
    );
    const late = await pass(silent(ago(30)));
    assert.deepEqual([late.lotAbattage, late.assignmentId], ["LOT-A", first.id]);
    assert.equal((await pass(silent(ago(90)))).lotAbattage, undefined);
    const own = await pass(makeSample({ measuredAt: ago(1) }));
    assert.deepEqual([own.lotAbattage, own.lotSource, own.assignmentId], ["LOT-1", "sample", undefined]);
    const [line] = page()?.lines ?? [];
    assert.equal(line?.current?.lot, "LOT-B");
    assert.equal(line?.current?.madeBy, "lea");
    assert.deepEqual(page()?.breeders[0], { breeder: "Ferme Éric", provenance: "Gers" });
  });

  it("refuses who may not, and what makes no sense, with a code for the page", async () => {
    const { set, received } = await load();
    const code = async (change: object, person?: Person) => {
      const answer = await set(change, person);
      return answer && "error" in answer ? answer.error : answer;
    };
    assert.equal(await code({}, { name: "ana", role: "viewer" }), "forbidden");
    assert.equal(await code({ lot: 3 }), "bad-action");
    assert.equal(await code({ lot: "  " }), "bad-lot");
    assert.equal(await code({ line: "../x" }), "bad-line");
    assert.equal(await code({ from: ago(60 * 24 * 40) }), "bad-time");
    assert.equal(await code({ supersedes: "999999" }), "no-such-assignment");
    assert.equal(received.errors.length, 6);
  });

  it("brings results stored already in line with a correction, and leaves what a sample said", async () => {
    const { set, pass } = await load();
    const wrong = await set({ lot: "LOT-WRONG", breeder: "Wrong", from: ago(20) });
    assert.ok(wrong && "id" in wrong);
    const [silently, own] = [await pass(silent(ago(15))), await pass(makeSample({ measuredAt: ago(15) }))];
    const before = await pass(silent(ago(25)));
    for (const sample of [silently, own, before]) await store(sample);
    assert.equal((await stored(silently)).lot_abattage, "LOT-WRONG");

    const right = await set({ lot: "LOT-RIGHT", breeder: "Right", from: ago(28), supersedes: wrong.id });
    assert.ok(right && "id" in right);
    for (const sample of [silently, before])
      assert.deepEqual(await stored(sample), {
        lot_abattage: "LOT-RIGHT",
        eleveur: "Right",
        lot_source: "line",
        assignment_id: Number(right.id),
      });
    assert.equal((await stored(own)).lot_abattage, "LOT-1");
    const { rows } = await database.pool.query(
      "SELECT DISTINCT view_name FROM stats_refresh_queue WHERE bucket > now() - interval '2 days' ORDER BY 1",
    );
    assert.deepEqual(
      rows.map((row) => row.view_name),
      ["fusion_eleveur_stats", "fusion_hourly_stats", "fusion_lot_stats"],
    );
    const again = await set({ supersedes: wrong.id });
    assert.deepEqual(again, { line: "line", error: "already-superseded" });
  });

  it("works from memory after a deploy, and never changes a record", async () => {
    const { pass } = await load();
    assert.equal((await pass(silent(ago(1)))).lotSource, "line");
    await assert.rejects(database.pool.query("UPDATE line_assignments SET lot_abattage = 'X'"), /append-only/);
    await assert.rejects(database.pool.query("DELETE FROM line_assignments"), /append-only/);
  });
});
