import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import mqtt from "mqtt";
import { lastProducts } from "../dashboards/nodes/refill.ts";
import { openPty, type PseudoTerminal, placeLink } from "../scripts/simulator/pty.ts";
import { capturedLines, messageOf, publishAll, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { DATABASE_PASSWORD, Line, until } from "./support/line.ts";
import { PostgresServer, serverPrograms } from "./support/postgres.ts";

const TABLES = ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"] as const;
const QUERIES = [
  "SELECT * FROM get_recent_stats(24)",
  "SELECT eleveur, COUNT(*), AVG(final_quality_score) FROM fusion_results WHERE time > NOW() - INTERVAL '7 days' GROUP BY eleveur ORDER BY AVG(final_quality_score) DESC",
  "SELECT final_grade, COUNT(*), ROUND(AVG(final_quality_score), 3) FROM fusion_results WHERE time > NOW() - INTERVAL '1 day' GROUP BY final_grade",
];
/** Columns that say how and when a row came rather than what was measured. */
const ARRIVAL = new Set(["entry_id", "received_at", "transport", "site_id", "line_id", "is_historical"]);

const captured = capturedLines();
const everyLine = [...captured.current, ...captured.legacy];
const everySample = samplesOf(everyLine);

type Row = Record<string, unknown>;

async function rowsOf(line: Line): Promise<Record<string, Row[]>> {
  const tables: Record<string, Row[]> = {};
  for (const table of TABLES) {
    const rows = await line.query(`SELECT * FROM ${table} ORDER BY time, sample_id`);
    tables[table] = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !ARRIVAL.has(name))));
  }
  return tables;
}

const count = async (line: Line, table: string) =>
  Number((await line.query(`SELECT count(*) AS n FROM ${table}`))[0]?.n);

async function stored(line: Line, expected: number): Promise<void> {
  await until(`${expected} stored samples`, async () => (await count(line, "fusion_results")) === expected, 30_000);
}

async function writeSerial(pty: PseudoTerminal, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const written = pty.write(bytes.subarray(at, at + 4096));
    at += written;
    if (written === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const TITLES = {
  timescaledb: "the embedded TimescaleDB",
  plain: "the embedded PostgreSQL without TimescaleDB",
  server: "a PostgreSQL server without TimescaleDB",
};

for (const mode of ["timescaledb", "plain", "server"] as const) {
  const programs = mode === "server" ? serverPrograms() : undefined;
  const suite = mode === "server" && programs === undefined ? describe.skip : describe;
  suite(`the line on ${TITLES[mode]}`, function () {
    this.timeout(120_000);
    let line: Line;
    let pty: PseudoTerminal;
    let server: PostgresServer | undefined;

    before(async () => {
      pty = openPty();
      if (programs !== undefined) server = await PostgresServer.start(programs);
      line = await Line.create(
        { ...(mode === "plain" ? { TIMESCALEDB: "0" } : {}), ...(server ? { DATABASE_URL: server.url } : {}) },
        { first: true },
      );
      const link = path.join(line.dataDir, "serial");
      placeLink(link, pty.path);
      line.env.SERIAL_PORT = link;
      await line.start();
    });
    after(async () => {
      await line?.remove();
      pty.close();
      server?.stop();
    });

    const clear = async () => {
      for (const table of [...TABLES, "quarantine"]) await line.query(`DELETE FROM ${table}`);
    };
    let overWebSocket: Record<string, Row[]>;

    it("says where it is, and what it runs on", () => {
      assert.match(line.output, new RegExp(`http://127.0.0.1:${line.port}/dashboard/line`));
      assert.match(line.output, mode === "timescaledb" ? /TimescaleDB \d/ : /without TimescaleDB/);
    });

    it("stores every captured message once, from a plain WebSocket client", async () => {
      const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
      assert.equal((device.greeting as Row).type, "connection_established");
      for (const text of everyLine) await device.send(text);
      await stored(line, everySample.length);
      for (const table of TABLES) assert.equal(await count(line, table), everySample.length, table);
      overWebSocket = await rowsOf(line);

      for (const text of everyLine) await device.send(text);
      const accounts = await until("the duplicates to be settled", async () => {
        const answer: { duplicate: number; waiting: number } = await (
          await fetch(`${line.base}/api/line/accounts`)
        ).json();
        return answer.duplicate === everySample.length && answer.waiting === 0 && answer;
      });
      assert.ok(accounts);
      for (const table of TABLES)
        assert.equal(await count(line, table), everySample.length, `${table} after the repetition`);
      assert.deepEqual(device.received, [], "a client that did not ask is never answered");
      await device.close();
    });

    it("recomputes the figures SQAL put on the wire, to 1e-9", async () => {
      const rows = await line.query(`
        SELECT v.sample_id, v.device_id, v.volume_trapezoidal_mm3, v.volume_simpson_mm3, v.volume_spline_mm3, v.avg_height_mm,
          v.max_height_mm, v.height_variation_mm, v.surface_uniformity, v.base_area_mm2, v.quality_score AS shape_score,
          v.num_defects, a.freshness_index, a.fat_quality_index, a.oxidation_index, a.quality_score AS spectral_score,
          a.color_l, a.color_a, a.color_b, a.delta_e, f.thickness_mm
        FROM vl53l8ch_analysis v JOIN as7341_analysis a USING (sample_uid, time) JOIN fusion_results f USING (sample_uid, time)`);
      assert.equal(rows.length, everySample.length);
      for (const text of everySample) {
        const { sample_id, device_id, vl53l8ch, as7341, fusion } = JSON.parse(text);
        const row = rows.find((candidate) => candidate.sample_id === sample_id && candidate.device_id === device_id);
        assert.ok(row, sample_id);
        const { stats } = vl53l8ch;
        const { foie_gras_metrics: business } = fusion;
        const pairs: [string, unknown, number?][] = [
          ["volume_trapezoidal_mm3", stats.volume_trapezoidal_mm3],
          ["volume_simpson_mm3", stats.volume_simpson_mm3],
          ["volume_spline_mm3", stats.volume_spline_mm3, 1e-6],
          ["avg_height_mm", stats.average_height_mm],
          ["max_height_mm", stats.max_height_mm],
          ["height_variation_mm", stats.height_variation_mm],
          ["surface_uniformity", stats.surface_uniformity],
          ["base_area_mm2", stats.base_area_mm2],
          ["shape_score", vl53l8ch.quality_score],
          ["num_defects", vl53l8ch.defects.length],
          ["freshness_index", as7341.quality_metrics.freshness_index],
          ["fat_quality_index", as7341.quality_metrics.fat_quality_index],
          ["oxidation_index", as7341.quality_metrics.oxidation_index],
          ["spectral_score", as7341.quality_score],
          ["color_l", business.l_star],
          ["color_a", business.a_star],
          ["color_b", business.b_star],
          ["delta_e", business.delta_e],
          ["thickness_mm", business.lobe_thickness_mm],
        ];
        for (const [column, captured, tolerance = 1e-9] of pairs) {
          const difference = Math.abs(Number(row[column]) - Number(captured));
          assert.ok(
            difference <= tolerance * Math.max(Math.abs(Number(captured)), 1e-3),
            `${sample_id} ${column}: ${row[column]}, captured ${captured}`,
          );
        }
      }
    });

    it("computes the same when the claims on the wire are falsified or gone", async () => {
      const CLAIM =
        /score|grade|defect|stats|quality|conform|analysis$|amplitude_consistency|volume_mm3|height_mm|uniformity|_index$|is_/;
      const KEPT = /bins_analysis|spectral_ratios|_ratio|discoloration_index|oxidation_index$|freshness_meat_index/;
      const spoil = (value: unknown, path: string[], drop: boolean): unknown => {
        if (Array.isArray(value)) return value.map((item) => spoil(item, path, drop));
        if (typeof value !== "object" || value === null) return value;
        return Object.fromEntries(
          Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
            const inRatios = path.includes("spectral_ratios") || path.includes("bins_analysis");
            if (!inRatios && CLAIM.test(key) && !(KEPT.test(key) && typeof inner === "object"))
              return drop ? [] : [[key, typeof inner === "number" ? inner * 3 + 7 : "falsified"]];
            return [[key, spoil(inner, [...path, key], drop)]];
          }),
        );
      };
      const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
      for (const [suffix, drop] of [
        ["-false", false],
        ["-gone", true],
      ] as const)
        for (const text of everySample) {
          const message = JSON.parse(text);
          await device.send(
            JSON.stringify({ ...(spoil(message, [], drop) as object), sample_id: `${message.sample_id}${suffix}` }),
          );
        }
      await stored(line, everySample.length * 3);
      await device.close();
      for (const table of ["vl53l8ch_analysis", "as7341_analysis", "fusion_results"]) {
        const rows = await line.query(`SELECT * FROM ${table} ORDER BY time, sample_id`);
        const figures = (row: Row) =>
          Object.fromEntries(
            Object.entries(row).filter(
              ([name]) =>
                !ARRIVAL.has(name) && !["sample_id", "sample_uid", "product_id", "claim", "metadata"].includes(name),
            ),
          );
        for (const row of rows.filter(({ sample_id }) => /-(false|gone)$/.test(String(sample_id)))) {
          const id = String(row.sample_id).replace(/-(false|gone)$/, "");
          const original = rows.find(
            (candidate) => candidate.sample_id === id && candidate.device_id === row.device_id,
          );
          assert.ok(original);
          assert.deepEqual(figures(row), figures(original), `${table} ${row.sample_id}`);
        }
      }
      for (const table of TABLES)
        await line.query(`DELETE FROM ${table} WHERE sample_id LIKE '%-false' OR sample_id LIKE '%-gone'`);
    });

    it("answers the mission's three queries", async () => {
      // They ask for the last day and week, and the captures grow old.
      await clear();
      const recent = everySample.map((text, n) =>
        JSON.stringify({ ...JSON.parse(text), timestamp: new Date(Date.now() - n * 1000).toISOString() }),
      );
      await publishAll(line.mqttPort, recent);
      await stored(line, recent.length);
      for (const query of QUERIES) {
        const rows = await line.query(query);
        assert.ok(rows.length > 0, query);
      }
      const [row] = await line.query<{ n: string }>(`SELECT sum(count) AS n FROM (${QUERIES[2]}) AS by_grade`);
      assert.equal(Number(row?.n), everySample.length);
    });

    it("stores the same rows over MQTT at QoS 1", async () => {
      await clear();
      await publishAll(line.mqttPort, everySample);
      await stored(line, everySample.length);
      assert.deepEqual(await rowsOf(line), overWebSocket);
    });

    it("stores the same rows over a pseudo-terminal", async () => {
      await clear();
      for (const text of everyLine) await writeSerial(pty, Buffer.from(`${text}\n`));
      await stored(line, everySample.length);
      assert.deepEqual(await rowsOf(line), overWebSocket);
    });

    if (mode !== "timescaledb") return;

    it("fills a page that opens from the last day's chunks, whatever lies behind them", async () => {
      // Behind a million samples the page would wait until every chunk was unpacked.
      let plan: object[] = [];
      const explaining = {
        query: async (text: string, values: unknown[]) => {
          plan = await line.query(`EXPLAIN ${text}`, values);
          return { rows: [] };
        },
      };
      // A month from now all that is stored lies behind.
      await lastProducts(explaining, "site-1", "line-1", Date.now() + 30 * 86_400_000);
      assert.ok(plan.length > 0);
      assert.doesNotMatch(JSON.stringify(plan), /_hyper_\d+_\d+_chunk/);
    });

    describe("refuses what is malformed with a reason, and goes on", () => {
      const good = everySample[0] ?? "";
      const spoil = (change: (message: { vl53l8ch: Record<string, unknown> }) => void) => {
        const message = JSON.parse(good);
        change(message);
        return JSON.stringify(message);
      };
      const malformed: [string, string, string][] = [
        ["not JSON", "this is not JSON", "not-json"],
        ["an 8x7 matrix", spoil(({ vl53l8ch }) => (vl53l8ch.distance_matrix as unknown[]).pop()), "bad-matrix"],
        ["NaN", good.replace(/"distance_matrix": \[\[[^,]+/, '"distance_matrix": [[NaN'), "not-json"],
        ["1e309", good.replace(/"distance_matrix": \[\[[^,]+/, '"distance_matrix": [[1e309'), "not-finite"],
        ["__proto__", good.replace("{", '{"__proto__": {"polluted": true}, '), "forbidden-key"],
      ];
      const reasons = async () =>
        Object.fromEntries(
          (await line.query("SELECT reason, count(*) AS n FROM quarantine GROUP BY reason")).map((row) => [
            row.reason,
            Number(row.n),
          ]),
        );
      const expected = { "not-json": 2, "bad-matrix": 1, "not-finite": 1, "forbidden-key": 1 };
      const accounts = async () => (await fetch(`${line.base}/api/line/accounts`)).json();
      /** A sample nobody sent before, to see that the line goes on. */
      const fresh = (id: string) => JSON.stringify({ ...messageOf(good), sample_id: id });
      const oversize = Buffer.alloc(50 * 1024 * 1024, 0x20);

      beforeEach(clear);

      it("over WebSocket", async () => {
        const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
        for (const [, text] of malformed) await device.send(text);
        await until("quarantine", async () => (await count(line, "quarantine")) === malformed.length);
        assert.deepEqual(await reasons(), expected);
        const closed = once(device.socket, "close");
        device.socket.send(oversize, () => {});
        await closed;
        await until(
          "the count of the 50 MB",
          async () => (await accounts()).byTransport.websocket.refused.oversize === 1,
        );
        const next = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
        await next.send(fresh("after-websocket"));
        await stored(line, 1);
        await next.close();
      });

      it("over MQTT", async () => {
        const connect = () =>
          mqtt.connectAsync(`mqtt://127.0.0.1:${line.mqttPort}`, { protocolVersion: 4, reconnectPeriod: 0 });
        const client = await connect();
        const topic = `foieflow/site-1/line-1/${messageOf(good).device_id}/sample`;
        // What can't be understood is acknowledged all the same, or it would be sent again for ever.
        for (const [, text] of malformed) await client.publishAsync(topic, text, { qos: 1 });
        await until("quarantine", async () => (await count(line, "quarantine")) === malformed.length);
        assert.deepEqual(await reasons(), expected);
        client.on("error", () => {});
        const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
        client.publish(topic, oversize, { qos: 1 }, () => {});
        await closed;
        await until("the count of the 50 MB", async () => (await accounts()).byTransport.mqtt.refused.oversize === 1);
        const next = await connect();
        await next.publishAsync(topic, fresh("after-mqtt"), { qos: 1 });
        await stored(line, 1);
        await next.endAsync();
      });

      it("over serial", async () => {
        for (const [, text] of malformed) await writeSerial(pty, Buffer.from(`${text}\n`));
        // A line with no object in it is noise on the cable (a boot message, say): counted, not kept.
        await until("quarantine", async () => (await count(line, "quarantine")) === malformed.length - 1);
        assert.deepEqual(await reasons(), { ...expected, "not-json": 1 });
        assert.equal((await accounts()).byTransport.serial.refused.noise, 1);
        // 5 MB, not 50: a pseudo-terminal carries some MB/s, and the bound is 2 MiB.
        await writeSerial(pty, oversize.subarray(0, 5 * 1024 * 1024));
        await writeSerial(pty, Buffer.from(`\n${fresh("after-serial")}\n`));
        await until(
          "the count of the long line",
          async () => (await accounts()).byTransport.serial.refused.oversize === 1,
        );
        await stored(line, 1);
      });
    });

    describe("stopped, killed and started again", () => {
      it("keeps compressed rows and every sample through a stop and a start", async () => {
        await clear();
        await publishAll(line.mqttPort, everySample);
        await stored(line, everySample.length);
        await line.query("SELECT compress_chunk(c) FROM show_chunks('fusion_results') c");
        assert.equal(await line.stop(), 0, line.output);
        assert.match(line.output, /stopped/);
        await line.start();
        assert.equal(await count(line, "fusion_results"), everySample.length);
        const duplicates = async (): Promise<number> =>
          (await (await fetch(`${line.base}/api/line/accounts`)).json()).duplicate;
        const before = await duplicates(); // the accounts outlive the stop
        await publishAll(line.mqttPort, everySample);
        await until("the repetition to be settled", async () => (await duplicates()) === before + everySample.length);
        assert.equal(
          await count(line, "fusion_results"),
          everySample.length,
          "no row twice, in compressed chunks either",
        );
      });

      it("refuses a second process on the same data directory, and names the first", async () => {
        const second = await Line.create({ DATA_DIR: line.dataDir });
        await assert.rejects(
          second.start(30_000),
          (error: Error) => error.message.includes(String(line.pid)) && /in use/.test(error.message),
        );
      });

      it("runs again after kill -9, with everything it had stored", async () => {
        await line.stop("SIGKILL");
        await line.start();
        assert.equal(await count(line, "fusion_results"), everySample.length);
        const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
        await device.send(JSON.stringify({ ...messageOf(everySample[0] ?? ""), sample_id: "after-the-kill" }));
        await stored(line, everySample.length + 1);
        await device.close();
      });

      it("lets the owner of the files ask with npm run sql, and nobody in without a password", async () => {
        const { execFile } = await import("node:child_process");
        const { promisify } = await import("node:util");
        const script = path.resolve(import.meta.dirname, "../scripts/sql.ts");
        const { stdout } = await promisify(execFile)(
          process.execPath,
          [script, "--json", "SELECT count(*) AS n, 'é' AS letter FROM fusion_results"],
          { env: line.env },
        );
        assert.deepEqual(JSON.parse(stdout), [{ n: everySample.length + 1, letter: "é" }]);
        const { default: pg } = await import("pg");
        const stranger = new pg.Client({
          host: "127.0.0.1",
          port: line.dbPort,
          user: "foieflow",
          password: `${DATABASE_PASSWORD}x`,
          database: "postgres",
        });
        await assert.rejects(stranger.connect(), /password|auth/i);
      });

      it("leaves nothing listening and no lock behind when it is stopped", async () => {
        await line.stop();
        const socket = net.connect(line.port, "127.0.0.1");
        const [error] = await once(socket, "error");
        assert.equal(error.code, "ECONNREFUSED");
        assert.ok(existsSync(path.join(line.dataDir, "flows", "10-ingest.json")));
      });
    });
  });
}
