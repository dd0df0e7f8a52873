import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { assertBalance, settledAccounts } from "../support/accounts.ts";
import { type Frozen, frozenDashboard, frozenSubscriber } from "../support/frozen.ts";
import { Line } from "../support/line.ts";
import { isLong } from "../support/long.ts";
import { residentMiB } from "../support/memory.ts";
import { type NumberedLoad, prepareLoad } from "./numbered-load.ts";
import { checkTotalQueue } from "./total-queue.ts";

/** Phases without and with frozen consumers take turns, so that a machine's moods meet both. */
const TURNS = isLong ? 5 : 1;
const PHASE_S = isLong ? 60 : 6;
const SETTLE_S = isLong ? 60 : 4;
/** In the short form the line still warms up: its heap may double before all of it is collected for the first time. */
const GROWTH_MIB = isLong ? 64 : 128;
const DASHBOARDS = 4;
const SUBSCRIBERS = 4;

const DEVICES: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 64, ratePerS: 15 },
  { transport: "mqtt", kind: "raw", device: "ESP32_RAW_MQTT", window: 64, ratePerS: 15 },
];

const suite = process.platform === "linux" ? describe : describe.skip;

suite("consumers that never read", function () {
  this.timeout((2 * TURNS * PHASE_S + SETTLE_S) * 2000 + 180_000);
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-frozen-"));
  let line: Line;
  let numbered: NumberedLoad;

  before(async () => {
    line = await Line.create();
    await line.start();
    numbered = await prepareLoad(line, directory, DEVICES, 1);
  });
  after(async () => {
    numbered?.load.kill();
    await line?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it("hold up no acknowledgement, lose no sample, and let no memory grow", async () => {
    const { load } = numbered;
    load.start();
    await sleep(SETTLE_S * 1000);
    const mostMiB = { without: 0, with: 0 };
    let now: keyof typeof mostMiB = "without";
    const watch = setInterval(() => {
      mostMiB[now] = Math.max(mostMiB[now], residentMiB(line.pid));
    }, 250);

    const phase = async (name: keyof typeof mostMiB) => {
      now = name;
      load.mark(name);
      const before = load.progress.acknowledged;
      await sleep(PHASE_S * 1000);
      assert.ok(load.progress.acknowledged > before, `nothing was acknowledged: ${name}`);
    };
    for (let turn = 0; turn < TURNS; turn += 1) {
      await phase("without");
      const frozen: Frozen[] = [];
      for (let n = 0; n < DASHBOARDS; n += 1) frozen.push(await frozenDashboard(line.base));
      for (let n = 0; n < SUBSCRIBERS; n += 1) frozen.push(await frozenSubscriber(line.mqttPort, `cold-${n}`));
      await phase("with");
      for (const each of frozen) each.close();
    }
    clearInterval(watch);
    load.stop();
    const { latencies } = await load.finished;
    const [without, withThem] = [latencies.without, latencies.with];
    assert.ok(without && withThem);
    console.log(
      `      PUBACK p99 ${without.p99.toFixed(1)} ms without, ${withThem.p99.toFixed(1)} ms with (ratio ${(withThem.p99 / without.p99).toFixed(2)}), over ${TURNS} × ${PHASE_S} s each; memory at most ${mostMiB.without.toFixed(0)} MiB without, ${mostMiB.with.toFixed(0)} MiB with`,
    );
    const accounts = await settledAccounts(line);
    const found = await checkTotalQueue(line, numbered.journal, numbered.kinds);
    assert.deepEqual([found.missing, found.twice, found.quarantined], [[], [], []]);
    assertBalance(accounts);
    const growthMiB = mostMiB.with - mostMiB.without;
    assert.ok(growthMiB < GROWTH_MIB, `memory grew by ${growthMiB.toFixed(0)} MiB`);
  });
});
