import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { type Accounts, assertBalance, settledAccounts } from "../support/accounts.ts";
import { TestClock } from "../support/clock.ts";
import { type Watched, watchDashboard } from "../support/dashboard.ts";
import { Line, until } from "../support/line.ts";
import { type NumberedLoad, prepareLoad } from "./numbered-load.ts";
import { outOfOrder } from "./order.ts";
import { checkTotalQueue, type TotalQueue } from "./total-queue.ts";

const HOUR_MS = 3_600_000;

/** Their clocks are right. */
const STEADY: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 20, ratePerS: 3 },
  { transport: "mqtt", kind: "raw", device: "ESP32_RAW_MQTT", window: 20, ratePerS: 1 },
  { transport: "websocket", kind: "sqal", device: "ESP32_MG_WS", window: 20, ratePerS: 3 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_WS", window: 20, ratePerS: 1 },
];
/** Theirs jump. */
const JUMPING: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_JUMPS", window: 20, ratePerS: 3 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_JUMPS", window: 20, ratePerS: 1 },
];

describe("clocks that jump by an hour", function () {
  this.timeout(300_000);
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-clock-"));
  const serverClock = new TestClock(path.join(directory, "server-clock"));
  const deviceClock = new TestClock(path.join(directory, "device-clock"));
  /** Products on the live tile, as they came. */
  const tile: { device: string; number: number }[] = [];
  let line: Line;
  let page: Watched;
  let steady: NumberedLoad;
  let jumping: NumberedLoad;
  let accounts: Accounts;

  before(async () => {
    line = await Line.create(serverClock.env);
    await line.start();
    page = await watchDashboard(line.base, (section) => {
      if (section.section !== "live" || !section.product) return;
      const { device, sampleId } = section.product;
      tile.push({ device, number: Number(sampleId.split("-")[1]) });
    });
    steady = await prepareLoad(line, path.join(mkdtempSync(path.join(directory, "a-"))), STEADY, 1);
    jumping = await prepareLoad(line, path.join(mkdtempSync(path.join(directory, "b-"))), JUMPING, 7, deviceClock.env);
    steady.load.start();
    jumping.load.start();
    await goesOn("at the start");
  });
  after(async () => {
    page?.close();
    steady?.load.kill();
    jumping?.load.kill();
    await line?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Samples are acknowledged, the tile moves and the heartbeat is heard. */
  async function goesOn(when: string): Promise<void> {
    const wanted = [steady, jumping].map(({ load }) => load.progress.acknowledged + 8);
    await until(
      `acknowledgements ${when}`,
      () => [steady, jumping].every(({ load }, n) => load.progress.acknowledged >= (wanted[n] ?? 0)),
      60_000,
    );
    const shown = tile.length;
    delete page.latest.state;
    // Samples that come now, not those that waited while the clock jumped.
    await until(`the tile to move ${when}`, () => tile.length >= shown + 3, 60_000);
    await until(`the heartbeat ${when}`, () => page.latest.state, 60_000);
  }

  const standing = async (cookie: string): Promise<unknown> => {
    const answer = await fetch(`${line.base}/auth/me`, { headers: { cookie } });
    return answer.json();
  };

  it("the server's: tiles and heartbeat go on, nobody's sign-in ends, nothing goes to quarantine", async () => {
    const cookie = await line.signIn("quality");
    const before = await standing(cookie);
    for (const hours of [1, 0, -1, 0]) {
      serverClock.set(hours);
      await goesOn(`with the server's clock at ${hours} h`);
      const [{ now } = { now: 0 }] = await line.query<{ now: number }>(
        "SELECT extract(epoch FROM now())::float8 * 1000 AS now",
      );
      assert.ok(Math.abs(now - Date.now() - hours * HOUR_MS) < HOUR_MS / 2, "the line does not see the jump");
      assert.deepEqual(await standing(cookie), before);
    }
    const rows = await line.query("SELECT reason, device_id, detail FROM quarantine");
    assert.deepEqual(rows, []);
  });

  it("a device's: ahead goes to quarantine as future-time, behind is stored as late, the others go on, and so does it", async () => {
    // What came while the server's clock was ahead seems as old, and is not late.
    const [{ first } = { first: "0" }] = await line.query<{ first: string }>(
      "SELECT max(entry_id::bigint)::text AS first FROM vl53l8ch_raw",
    );
    for (const hours of [1, 0, -1, 0]) {
      deviceClock.set(hours);
      await goesOn(`with the devices' clock at ${hours} h`);
    }
    const shown = tile.length;
    const isBack = () => tile.slice(shown).some(({ device }) => device === "ESP32_MG_JUMPS");
    await until("the device whose clock is right again on the tile", isBack, 60_000);
    for (const { load } of [steady, jumping]) load.stop();
    await Promise.all([steady.load.finished, jumping.load.finished]);
    accounts = await settledAccounts(line);
    const reasons = await line.query("SELECT DISTINCT reason, device_id AS device FROM quarantine ORDER BY device_id");
    assert.deepEqual(reasons, [
      { reason: "future-time", device: "ESP32_MG_JUMPS" },
      { reason: "future-time", device: "ESP32_RAW_JUMPS" },
    ]);
    const behind = await line.query(
      `SELECT device_id AS device, bool_and(is_historical) AS late FROM vl53l8ch_raw
        WHERE received_at - time > interval '30 minutes' AND entry_id::bigint > $1 AND device_id LIKE '%JUMPS'
        GROUP BY device_id ORDER BY device_id`,
      [first],
    );
    assert.deepEqual(behind, [
      { device: "ESP32_MG_JUMPS", late: true },
      { device: "ESP32_RAW_JUMPS", late: true },
    ]);
  });

  it("everything acknowledged is in the tables, or in quarantine, once, and the accounts balance", async () => {
    const found: TotalQueue[] = [];
    for (const { journal, kinds } of [steady, jumping]) found.push(await checkTotalQueue(line, journal, kinds));
    const [ofSteady, ofJumping] = found;
    assert.deepEqual(ofSteady?.missing, []);
    assert.deepEqual([ofSteady?.twice, ofJumping?.twice], [[], []]);
    assert.ok(ofJumping?.quarantined.every((text) => text.startsWith("future-time ")));
    assertBalance(accounts);
    assert.equal(accounts.stored + accounts.quarantined, accounts.received);
    const missing = new Set(ofJumping?.missing.map((text) => text.split(": ")[1]));
    assert.equal(missing.size, accounts.quarantined);
    assert.equal((ofSteady?.acknowledged ?? 0) + (ofJumping?.acknowledged ?? 0), accounts.received);
  });

  it("each device's samples were written in the order of their numbers", async () =>
    assert.deepEqual(await outOfOrder(line), []));

  it("the tile never went back", () => {
    const newest = new Map<string, number>();
    const back = tile.filter(({ device, number }) => {
      const before = newest.get(device) ?? -1;
      newest.set(device, Math.max(before, number));
      return number < before;
    });
    assert.deepEqual(back, []);
  });

  it("stops cleanly with a clock an hour ahead", async () => {
    serverClock.set(1);
    assert.equal(await line.stop(), 0);
  });
});
