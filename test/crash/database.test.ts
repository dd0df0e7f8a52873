import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { assertBalance, settledAccounts } from "../support/accounts.ts";
import { openBrowser, openPage } from "../support/browser.ts";
import { Line, until } from "../support/line.ts";
import { isLong } from "../support/long.ts";
import { PostgresServer, serverPrograms } from "../support/postgres.ts";
import { type NumberedLoad, prepareLoad } from "./numbered-load.ts";
import { outOfOrder } from "./order.ts";
import { checkTotalQueue } from "./total-queue.ts";
import { untilBatchIsWritten } from "./transaction-under-way.ts";

const AWAY_S = isLong ? 60 : 5;
const RESTARTS = isLong ? 20 : 2;

const DEVICES: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 20, ratePerS: 15 },
  { transport: "websocket", kind: "sqal", device: "ESP32_MG_WS", window: 20, ratePerS: 15 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_WS", window: 20, ratePerS: 15 },
];

const programs = serverPrograms();
const suite = programs === undefined ? describe.skip : describe;

suite("the line on a PostgreSQL server that goes away", function () {
  this.timeout(300_000);
  let directory: string;
  let server: PostgresServer;
  let line: Line;
  let browser: Browser;
  let numbered: NumberedLoad;

  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-away-"));
    server = await PostgresServer.start(programs ?? "");
    line = await Line.create({ DATABASE_URL: server.url });
    await line.start();
    numbered = await prepareLoad(line, directory, DEVICES, 1);
  });
  afterEach(async () => {
    numbered?.load.kill();
    await line?.remove();
    server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const acknowledge = async (more: number) => {
    const { load } = numbered;
    const enough = load.progress.acknowledged + more;
    await until(`${more} acknowledgements`, () => load.progress.acknowledged >= enough, 60_000);
  };

  /** Ends the load, and finds everything that was acknowledged in its place, once, and in order. */
  async function checkAll(): Promise<void> {
    numbered.load.stop();
    await numbered.load.finished;
    const accounts = await settledAccounts(line);
    const found = await checkTotalQueue(line, numbered.journal, numbered.kinds);
    assert.ok(found.acknowledged > 0);
    assert.deepEqual(found.missing, [], "acknowledged and missing");
    assert.deepEqual(found.twice, [], "stored twice");
    assert.deepEqual(found.quarantined, []);
    assert.deepEqual(await outOfOrder(line), [], "written out of order");
    assertBalance(accounts);
    assert.equal(accounts.stored, found.stored);
  }

  it(`acknowledges on for ${AWAY_S} s without it, says so on the page, and loses nothing`, async () => {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 1440,
      height: 900,
      locale: "fr-FR",
    });
    const trouble = page.locator(".ff-header-trouble[data-kind='bad']", { hasText: "Base de données injoignable" });
    try {
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      numbered.load.start();
      await acknowledge(100);
      await page.locator(".ff-grade[data-grade]").first().waitFor({ timeout: 30_000 });
      assert.equal(await trouble.count(), 0);

      server.halt();
      const haltedMs = performance.now();
      await acknowledge(100);
      await trouble.waitFor({ timeout: 30_000 });
      await sleep(Math.max(0, AWAY_S * 1000 - (performance.now() - haltedMs)));
      await acknowledge(20);
      assert.equal(await trouble.count(), 1, "still away, and the page still there");
      assert.equal((await fetch(`${line.base}/dashboard/line`)).status, 200);

      server.resume();
      await trouble.waitFor({ state: "detached", timeout: 60_000 });
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
    await checkAll();
  });

  it(`loses nothing when it is restarted in the middle of a batch, ${RESTARTS} times`, async () => {
    numbered.load.start();
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await acknowledge(60);
      assert.ok(await untilBatchIsWritten(line, 60_000), "no batch was seen");
      server.halt();
      server.resume();
    }
    await acknowledge(60);
    await checkAll();
  });
});
