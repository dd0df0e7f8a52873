import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { random } from "../../scripts/simulator/random.ts";
import { type Accounts, assertBalance, settledAccounts } from "../support/accounts.ts";
import { Line, until } from "../support/line.ts";
import { isLong } from "../support/long.ts";
import { PostgresServer, serverPrograms } from "../support/postgres.ts";
import { AIMS, type Aim, takeAim } from "./aims.ts";
import { evidenceOf, inDanger } from "./evidence.ts";
import { type NumberedLoad, prepareLoad, serialLinkIn } from "./numbered-load.ts";
import { checkTotalQueue, type TotalQueue } from "./total-queue.ts";

const KILLS = Number(process.env.CRASH_KILLS ?? (isLong ? 200 : 3));
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 2 ** 31);
/** 10 s are promised of a machine that has nothing else to do; on another, say how long it may take. */
const START_S = Number(process.env.CRASH_START_S ?? (isLong ? 10 : 90));
const ACKNOWLEDGED_BETWEEN = 100;
/** Of each device, before the kill that another is to meet in its replay: the flows then have more than they can do at once. */
const BURST = 200;
/** CRASH_DATABASE=server: on a PostgreSQL server installed here instead of the embedded database. */
const programs = process.env.CRASH_DATABASE === "server" ? serverPrograms() : undefined;

const DEVICES: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 30, ratePerS: 3 },
  { transport: "mqtt", kind: "raw", device: "ESP32_RAW_MQTT", window: 20, ratePerS: 2 },
  { transport: "websocket", kind: "sqal", device: "ESP32_MG_WS", window: 30, ratePerS: 3 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_WS", window: 20, ratePerS: 2 },
  { transport: "serial", kind: "raw", device: "ESP32_RAW_SERIAL", window: 12, ratePerS: 2 },
];

describe(`the line killed ${KILLS} times (CRASH_SEED=${SEED})`, function () {
  this.timeout(KILLS * 120_000 + 300_000);
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-kill-"));
  const rng = random(SEED, "kill");
  /** Kills by what they fell into; one may have fallen into several. */
  const into: Record<Aim, number> = { anything: 0, replay: 0, commit: 0, "clean-up": 0 };
  const startsS: number[] = [];
  /** From the start to the first acknowledgement after it. */
  const doorsS: number[] = [];
  let fewest = Number.POSITIVE_INFINITY;
  let server: PostgresServer | undefined;
  let line: Line;
  let numbered: NumberedLoad;
  let accounts: Accounts;
  let found: TotalQueue;

  after(async () => {
    numbered?.load.kill();
    await line?.remove();
    server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function kill(aim: Aim, next: Aim, acknowledgedBefore: number): Promise<void> {
    const acknowledged = () => numbered.load.progress.acknowledged - acknowledgedBefore;
    await until("enough acknowledgements", () => acknowledged() >= ACKNOWLEDGED_BETWEEN, 60_000);
    // Whoever was in flight in three crashes goes to quarantine: that rule has its own test, and this one no business there.
    await until("what two kills have met to be settled", () => inDanger(line) === 0, 120_000);
    const seen = await takeAim(aim, line, rng);
    if (next === "replay") {
      const enough = acknowledged() + 0.8 * BURST * DEVICES.length;
      numbered.load.burst(BURST);
      await until("a burst", () => acknowledged() >= enough, 60_000);
    }
    await line.stop("SIGKILL");
    fewest = Math.min(fewest, acknowledged());
    const { inReplay, hasFramesToMove, waiting } = evidenceOf(line);
    into.anything += 1;
    if (aim === "commit" && seen) into.commit += 1;
    if (inReplay > 0) into.replay += 1;
    if (aim === "clean-up" && seen && hasFramesToMove) into["clean-up"] += 1;
    const startedMs = performance.now();
    const before = numbered.load.progress.acknowledged;
    const isTaken = () => numbered.load.progress.acknowledged > before;
    const taking = until("an acknowledgement after the start", isTaken, 120_000).then(() =>
      doorsS.push((performance.now() - startedMs) / 1000),
    );
    await line.start();
    startsS.push((performance.now() - startedMs) / 1000);
    await taking;
    if (isLong)
      console.log(
        `      ${into.anything} for ${aim}: ${acknowledged()} acknowledged, ${waiting} waiting (${inReplay} in replay), up after ${startsS.at(-1)?.toFixed(1)} s`,
      );
  }

  before("kills it, lets it finish, and counts", async () => {
    if (programs !== undefined) server = await PostgresServer.start(programs, { fsync: true });
    line = await Line.create({
      SERIAL_PORT: serialLinkIn(directory),
      ...(server && { DATABASE_URL: server.url }),
    });
    numbered = await prepareLoad(line, directory, DEVICES, SEED);
    const { load } = numbered;
    load.start();
    await line.start();
    const aimOf = (n: number) => AIMS[n % AIMS.length] ?? "anything";
    for (let n = 0; n < KILLS; n += 1) await kill(aimOf(n), aimOf(n + 1), load.progress.acknowledged);
    load.stop();
    const end = await load.finished;
    accounts = await settledAccounts(line, 240_000);
    found = await checkTotalQueue(line, numbered.journal, numbered.kinds);
    for (const durations of [startsS, doorsS]) durations.sort((a, b) => a - b);
    const at = (durations: number[], share: number) =>
      durations[Math.floor((durations.length - 1) * share)]?.toFixed(1);
    const spread = (durations: number[]) =>
      `${at(durations, 0.5)} s (median), ${at(durations, 0.95)} s (95 %), ${at(durations, 1)} s (longest)`;
    for (const text of [
      `kills, and what they fell into: ${JSON.stringify(into)}`,
      `acknowledged ${found.acknowledged} ${JSON.stringify(end.byTransport)}, at least ${fewest} between two kills; sent again ${end.resent}`,
      `missing ${found.missing.length}, stored twice ${found.twice.length}, quarantined ${found.quarantined.length}`,
      `received ${accounts.received} = stored ${accounts.stored} + duplicate ${accounts.duplicate} + quarantined ${accounts.quarantined} + discarded ${accounts.discarded}`,
      `acknowledging again after ${spread(doorsS)}`,
      `running again after ${spread(startsS)}`,
    ])
      console.log(`      ${text}`);
  });

  it("every acknowledged sample is in the tables", () => {
    assert.ok(found.acknowledged >= KILLS * ACKNOWLEDGED_BETWEEN);
    assert.deepEqual(found.missing.slice(0, 20), [], `${found.missing.length} missing`);
  });

  it("no sample is in a table twice", () =>
    assert.deepEqual(found.twice.slice(0, 20), [], `${found.twice.length} twice`));

  it("nothing is in quarantine, for nothing was wrong with it", () =>
    assert.deepEqual(found.quarantined.slice(0, 20), []));

  it("the accounts balance, and agree with the database", () => {
    assertBalance(accounts);
    assert.equal(accounts.stored, found.stored);
    assert.equal(accounts.discarded, 0);
  });

  it(`at least ${ACKNOWLEDGED_BETWEEN} samples were acknowledged between two kills`, () =>
    assert.ok(fewest >= ACKNOWLEDGED_BETWEEN, `only ${fewest}`));

  it("kills fell into replay, into a transaction of the database and into the inbox's clean-up", () => {
    const hit = AIMS.filter((aim) => into[aim] > 0);
    // A few kills cannot hit everything they aim at.
    assert.ok(hit.length >= (KILLS >= 20 ? AIMS.length : 1), `fell into ${hit.join(", ") || "none"} only`);
  });

  it(`the line was running again within ${START_S} s each time`, () =>
    assert.ok(startsS.every((seconds) => seconds <= START_S)));

  it("stops cleanly", async () => assert.equal(await line.stop(), 0));
});
