import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { assertBalance, settledAccounts } from "../support/accounts.ts";
import { ADMIN_PASSWORD, Line, until } from "../support/line.ts";
import { isLong } from "../support/long.ts";
import { type NumberedLoad, prepareLoad } from "./numbered-load.ts";
import { checkTotalQueue } from "./total-queue.ts";

const DEPLOYS = isLong ? 50 : 8;

const DEVICES: PlannedDevice[] = [
  { transport: "mqtt", kind: "sqal", device: "ESP32_MG_MQTT", window: 20, ratePerS: 15 },
  { transport: "mqtt", kind: "raw", device: "ESP32_RAW_MQTT", window: 20, ratePerS: 15 },
  { transport: "websocket", kind: "sqal", device: "ESP32_MG_WS", window: 20, ratePerS: 15 },
  { transport: "websocket", kind: "raw", device: "ESP32_RAW_WS", window: 20, ratePerS: 15 },
];

describe("full deploys under load", function () {
  this.timeout(600_000);
  let directory: string;
  let line: Line;
  let numbered: NumberedLoad;

  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-deploys-"));
    line = await Line.create();
    await line.start();
    numbered = await prepareLoad(line, directory, DEVICES, 1);
  });
  after(async () => {
    numbered?.load.kill();
    await line?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The editor's API, as its administrator. */
  async function editor(): Promise<(init: RequestInit) => Promise<Response>> {
    const body = new URLSearchParams({
      client_id: "node-red-admin",
      grant_type: "password",
      scope: "*",
      username: "admin",
      password: ADMIN_PASSWORD,
    });
    const answer = await fetch(`${line.base}/auth/token`, { method: "POST", body });
    assert.ok(answer.ok, `HTTP ${answer.status}`);
    const { access_token }: { access_token: string } = await answer.json();
    return (init) =>
      fetch(`${line.base}/flows`, {
        ...init,
        headers: {
          ...init.headers,
          authorization: `Bearer ${access_token}`,
          "content-type": "application/json",
          "node-red-api-version": "v2",
        },
      });
  }

  it(`${DEPLOYS} of them drop no device, lose nothing and double nothing`, async () => {
    const { load } = numbered;
    const flows = await editor();
    load.start();
    await until("samples", () => load.progress.acknowledged >= 50, 60_000);
    for (let deploy = 0; deploy < DEPLOYS; deploy += 1) {
      const { flows: present }: { flows: unknown } = await (await flows({})).json();
      const body = JSON.stringify({ flows: present });
      const answer = await flows({ method: "POST", body, headers: { "node-red-deployment-type": "full" } });
      assert.equal(answer.status, 200, await answer.clone().text());
      const enough = load.progress.acknowledged + 20;
      await until("acknowledgements after a deploy", () => load.progress.acknowledged >= enough, 60_000);
    }
    load.stop();
    const { resent } = await load.finished;
    assert.equal(resent, 0, "a device that is dropped sends again");
    const accounts = await settledAccounts(line, 400_000);
    const found = await checkTotalQueue(line, numbered.journal, numbered.kinds);
    assert.ok(found.acknowledged >= 20 * DEPLOYS);
    assert.deepEqual(found.missing, [], "acknowledged and missing");
    assert.deepEqual(found.twice, [], "stored twice");
    assert.deepEqual(found.quarantined, []);
    assertBalance(accounts);
    assert.equal(accounts.stored, found.stored);
    assert.equal(accounts.received, found.acknowledged);
  });
});
