import assert from "node:assert/strict";
import mqtt from "mqtt";
import pg from "pg";
import { insertNext } from "../nodes/calibration/store.ts";
import { BeltStation, FRAME_MS } from "../scripts/simulator/belt.ts";
import { calibrateStation } from "../scripts/simulator/belt-calibration.ts";
import { BeltSource } from "../scripts/simulator/belt-source.ts";
import { random } from "../scripts/simulator/random.ts";
import type { BeltTruthLine } from "../scripts/simulator/truth.ts";
import { DATABASE_PASSWORD, Line, until } from "./support/line.ts";

const DEVICE = "ESP32_BELT_01";
const PRODUCTS = 5;

describe("livers on a belt, as raw sensor bytes", function () {
  this.timeout(120_000);
  let line: Line;
  const station = new BeltStation(77, DEVICE, { heightErrorMm: 1.5, tiltXDeg: 1, tiltYDeg: -2 });
  /** Products that have wholly passed. */
  const passed: BeltTruthLine[] = [];

  before(async () => {
    line = await Line.create();
    await line.start();
    const client = new pg.Client({
      host: "127.0.0.1",
      port: line.dbPort,
      user: "foieflow",
      password: DATABASE_PASSWORD,
    });
    await client.connect();
    const now = Date.now();
    await insertNext(client, "site-1", {
      ...calibrateStation(station, DEVICE),
      deviceId: DEVICE,
      validFrom: new Date(now - 3_600_000).toISOString(),
      validUntil: new Date(now + 86_400_000).toISOString(),
      madeBy: "test",
      reason: "the belt of the test",
    });
    await client.end();
    await line.stop();
    await line.start();
  });
  after(() => line?.remove());

  it("gives every liver one grade, by the tare, with an interval around its mass", async () => {
    const identity = {
      deviceId: DEVICE,
      macAddress: "24:0A:C4:00:00:01",
      location: "Ligne A",
      ipAddress: "127.0.0.1",
      generation: "raw" as const,
      claims: false,
    };
    const source = new BeltSource({
      identity,
      station,
      encoding: "cbor",
      boot: 1,
      trigger: false,
      cnh: false,
      faults: 0,
      rng: random(77, "faults"),
    });
    const topic = `foieflow/site-1/line-1/${DEVICE}/sample`;
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${line.mqttPort}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
    });
    const started = Date.now() - 60_000;
    let frames = 0;
    while (passed.length < PRODUCTS) {
      const measured = source.measure(started + frames * FRAME_MS);
      frames += 1;
      for (const truth of measured.truths) if ("kind" in truth && truth.kind === "belt") passed.push(truth);
      await client.publishAsync(topic, Buffer.from(measured.body), { qos: 1 });
    }
    await client.endAsync();
    await until(
      "every frame to be stored",
      async () => {
        const accounts = await (await fetch(`${line.base}/api/line/accounts`)).json();
        return accounts.waiting === 0 && accounts.stored === frames;
      },
      30_000,
    );
    const graded = await line.query("SELECT * FROM fusion_results ORDER BY time");
    const whole = passed.filter(({ wholeInView }) => wholeInView).length;
    // The last one may still have been on its way when the frames ended.
    assert.ok(graded.length === whole || graded.length === whole + 1, `${graded.length} grades for ${whole} livers`);
    assert.equal(new Set(graded.map(({ product_id }) => product_id)).size, graded.length, "one grade each");
    for (const row of graded) {
      assert.equal(row.spec_id, "duck");
      const [shape] = await line.query(
        "SELECT calibrated, mass_half_width_g FROM vl53l8ch_analysis WHERE sample_uid = $1",
        [row.sample_uid],
      );
      assert.equal(shape?.calibrated, true);
      assert.ok(Number(shape?.mass_half_width_g) > 0 && Number(shape?.mass_half_width_g) < 0.1 * Number(row.mass_g));
    }
    for (const truth of passed.filter(({ wholeInView }) => wholeInView)) {
      const nearest = Math.min(...graded.map(({ mass_g }) => Math.abs(Number(mass_g) / truth.massG - 1)));
      assert.ok(nearest < 0.06, `${truth.massG} g: the nearest mass is ${(100 * nearest).toFixed(1)} % off`);
    }
  });

  it("stores every frame, and grades none that shows no whole product", async () => {
    const rows = await line.query(
      "SELECT presence, count(*) AS n, count(product_id) AS named FROM vl53l8ch_analysis GROUP BY presence",
    );
    const of = (presence: string) => rows.find((row) => row.presence === presence);
    assert.ok(Number(of("NO_PRODUCT")?.n) > 0 && Number(of("PARTIAL")?.n) > 0 && Number(of("PRODUCT")?.n) > 0);
    assert.equal(Number(of("PARTIAL")?.named), Number(of("PARTIAL")?.n), "every frame of a product names it");
    const ungraded = await line.query(
      "SELECT 1 FROM fusion_results f JOIN vl53l8ch_analysis v USING (sample_uid, time) WHERE v.presence <> 'PRODUCT'",
    );
    assert.deepEqual(ungraded, []);
  });
});
