import assert from "node:assert/strict";
import path from "node:path";
import helper from "node-red-node-test-helper";
import readWorkbook from "read-excel-file/node";
import { extractText, getDocumentProxy } from "unpdf";
import { acquireCredentials } from "../broker/credential-store.ts";
import type { Sample } from "../sample/sample.ts";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { type Answer, history, Plant } from "./fixture.test.ts";
import { validatorOf } from "./parameters.ts";
import { ProblemSchema } from "./problem.ts";
import { Router } from "./router.ts";
import { ROUTES } from "./routes.ts";
import { updateOf } from "./update.ts";

const router = new Router(ROUTES);
const OPERATOR = { "x-test-person": "lea:operator" };

/** Whether an answer is what its operation promises; the answer itself. */
function conforms(url: string, answer: Answer, method = "GET"): Answer {
  const match = router.find(method, url.replace(/^\/api/, "").split("?")[0] ?? "");
  assert.ok(match && "route" in match, url);
  const schema = answer.status >= 400 ? ProblemSchema : match.route.response;
  if (answer.status < 400) assert.equal(answer.status, match.route.status ?? 200, `${url}: ${answer.text}`);
  else assert.equal(answer.type, "application/problem+json");
  const validator = validatorOf(schema);
  if (!validator.Check(answer.json))
    assert.fail(
      `${url}: ${JSON.stringify([...validator.Errors(answer.json)].slice(0, 5))}\n${answer.text.slice(0, 500)}`,
    );
  return answer;
}

for (const extension of [true, false])
  describe(`the API on the embedded database, ${extension ? "with TimescaleDB" : "plain"}`, function () {
    this.timeout(120_000);
    let plant: Plant;
    const samples = history();
    const get = async (url: string) => conforms(url, await plant.get(url));
    const ok = async (url: string) => {
      const answer = await get(url);
      assert.equal(answer.status, 200, answer.text);
      return answer.json;
    };
    const refused = async (url: string, status: number, code: string) => {
      const { status: given, json } = await get(url);
      assert.deepEqual([given, json.code], [status, code], url);
    };

    before(async () => {
      plant = await Plant.open(extension);
      await plant.load();
    });
    after(() => plant.close());

    it("answers before anything is there", async () => {
      await refused("/api/sensors/latest/", 404, "no-sample");
      assert.deepEqual((await ok("/api/samples")).samples, []);
      assert.deepEqual(await ok("/api/lots"), { lots: [], next: null });
      assert.equal((await ok("/api/sensors/stats/")).total_samples, 0);
      assert.deepEqual(await ok("/api/lines"), { lines: [] });
      await plant.store(samples);
      await plant.database.pool.query(
        `INSERT INTO devices (device_id, site_id, line_id, first_seen_at, last_seen_at) VALUES
          ('dev-11', 'site', 'line-1', now(), now()), ('dev-21', 'site', 'line-2', now(), now() - interval '1 hour')`,
      );
      await plant.database.pool.query(
        `INSERT INTO quarantine (entry_id, received_at, reason, detail, transport, site_id, bytes, byte_length)
         SELECT 'q' || n, now(), 'not-json', 'x', 'mqtt', 'site', '', 0 FROM generate_series(1, 7) n`,
      );
    });

    it("gives the newest sample as the broadcast gives it", async () => {
      const latest = await ok("/api/sensors/latest/");
      const newest = samples.at(-1) as Sample;
      const update = JSON.parse(JSON.stringify(updateOf(newest)));
      assert.equal(latest.fusion.sample_uid, newest.sampleUid);
      // The database keeps times with three digits of fraction, and figures of neither sensor are rounded.
      assert.deepEqual(latest, update);
      assert.equal((await ok("/api/sensors/latest?device=dev-11")).device_id, "dev-11");
      assert.equal((await ok("/api/sensors/latest?lot=LOT-0")).fusion.lot_abattage, "LOT-0");
    });

    it("gives history and statistics of the last hours", async () => {
      const recent = await ok("/api/sensors/history/?hours=1");
      assert.equal(recent.count, samples.filter((s) => Date.parse(s.measuredAt) > Date.now() - 3_600_000).length);
      const stats = await ok("/api/sensors/stats/?hours=72");
      assert.equal(stats.total_samples, 240);
      assert.deepEqual(stats.grade_distribution, { "A+": 48, A: 48, B: 48, C: 48, REJECT: 48 });
      assert.equal(stats.compliance_rate_pct, 80);
      assert.equal(
        stats.hourly.reduce((sum: number, hour: { sample_count: number }) => sum + hour.sample_count, 0),
        240,
      );
      assert.equal((await ok("/api/sensors/stats?hours=72&line=line-1")).total_samples, 120);
    });

    it("filters samples by everything it says", async () => {
      const count = async (filters: string) => (await ok(`/api/samples?limit=1000&${filters}`)).samples.length;
      assert.equal(await count(""), 240);
      assert.equal(await count("lot=LOT-1"), 40);
      assert.equal(await count("lot=LOT-1,LOT-2"), 80);
      assert.equal(await count(`breeder=${encodeURIComponent("Ferme Éric")}`), 80);
      assert.equal(await count("grade=REJECT"), 48);
      assert.equal(await count("grade=A%2B&grade=A"), 96);
      assert.equal(await count("grade=A+"), 48);
      assert.equal(await count("device=dev-11"), 60);
      assert.equal(await count("line=line-2"), 120);
      assert.equal(await count("product=p-7"), 1);
      assert.equal(await count("site=elsewhere"), 0);
      const [tenth, twentieth] = [samples[10]?.measuredAt, samples[20]?.measuredAt];
      assert.equal(await count(`from=${tenth}&to=${twentieth}`), 10);
      await refused(`/api/samples?from=${twentieth}&to=${tenth}`, 400, "bad-period");
    });

    it("pages without gap or repetition while rows are added", async () => {
      const seen: string[] = [];
      let next: string | null = null;
      let added = 0;
      do {
        const page: { samples: { sample_uid: string }[]; next: string | null } = await ok(
          `/api/samples?lot=LOT-1,LOT-2,NEW&limit=7${next ? `&cursor=${next}` : ""}`,
        );
        seen.push(...page.samples.map(({ sample_uid }) => sample_uid));
        next = page.next;
        if (added++ < 5) await plant.store([makeSample({ lotAbattage: "NEW", measuredAt: new Date().toISOString() })]);
      } while (next);
      const wanted = samples.filter(({ lotAbattage }) => lotAbattage === "LOT-1" || lotAbattage === "LOT-2");
      assert.deepEqual(seen, wanted.map(({ sampleUid }) => sampleUid).reverse());
      await plant.database.pool.query("DELETE FROM fusion_results WHERE lot_abattage = 'NEW'");
    });

    it("sends tables as CSV, by header or parameter, safe for spreadsheets", async () => {
      const answer = await plant.get("/api/samples?lot=LOT-2", { accept: "text/csv" });
      assert.match(answer.type, /^text\/csv/);
      const lines = answer.text.trim().split("\r\n");
      assert.equal(lines.length, 41);
      assert.match(lines[0] ?? "", /^time,sample_uid,/);
      assert.match(answer.text, /,'=HYPERLINK\(\),/);
      assert.equal((await plant.get("/api/samples?format=csv&limit=5")).text.trim().split("\r\n").length, 6);
      // More than one page of the database.
      const long = await plant.get("/api/samples?format=csv");
      assert.equal(long.text.trim().split("\r\n").length, 241);
      for (const table of ["lots", "breeders", "devices", "quarantine", "sensors/history"]) {
        const { status, type, text } = await plant.get(`/api/${table}?format=csv`);
        assert.deepEqual([status, type], [200, "text/csv; charset=utf-8"], table);
        assert.ok(text.split("\r\n").length > 2, table);
      }
      assert.equal((await plant.get("/api/samples?format=csv&limit=2000000")).status, 400);
    });

    it("makes a lot's report and workbook for who may, by name, and reads them back", async () => {
      const url = "/api/lots/LOT-2/report";
      for (const file of [`${url}.pdf`, `${url}.xlsx`]) {
        assert.equal((await get(file)).json.code, "not-signed-in");
        assert.equal((await plant.get(file, { "x-test-person": "ana:viewer" })).json.code, "not-allowed");
        assert.equal((await plant.get(`${file}?lang=de`, OPERATOR)).json.code, "bad-request");
      }
      assert.equal((await plant.get("/api/lots/nothing/report.pdf", OPERATOR)).json.code, "no-such-lot");
      const bytes = async (file: string) => {
        const answer = await fetch(`${plant.base}${file}`, { headers: OPERATOR });
        assert.equal(answer.status, 200);
        return [answer.headers, new Uint8Array(await answer.arrayBuffer())] as const;
      };
      const [headers, pdf] = await bytes(`${url}.pdf?lang=en`);
      assert.equal(headers.get("content-type"), "application/pdf");
      assert.equal(headers.get("content-disposition"), 'attachment; filename="lot-LOT-2.pdf"');
      const { text } = await extractText(await getDocumentProxy(pdf), { mergePages: true });
      assert.match(text, /Lot report[\s\S]*LOT-2[\s\S]*lea/);
      const [, workbook] = await bytes(`${url}.xlsx`);
      const sheet = (await readWorkbook(Buffer.from(workbook))).find((one) => one.sheet === "Échantillons");
      const [head = [], ...rows] = sheet?.data ?? [];
      assert.equal(rows.length, 40);
      assert.deepEqual(new Set(rows.map((row) => row[head.indexOf("Éleveur")])), new Set(["'=HYPERLINK()"]));
      const grades = rows.map((row) => row[head.indexOf("Classe")]);
      assert.deepEqual(
        grades,
        samples.slice(80, 120).map((sample) => sample.grade?.grade),
      );
    });

    it("tells everything about a sample, its bytes as they came", async () => {
      const sample = samples[5] as Sample;
      const url = `/api/samples/${sample.sampleUid}`;
      const all = await ok(url);
      assert.equal(all.fusion_results.final_quality_score, sample.grade?.score);
      assert.equal(all.vl53l8ch_raw.distance_matrix.length, 8);
      assert.equal(all.as7341_raw.channels.F1, 1000);
      assert.equal(all.vl53l8ch_raw.raw_bytes, undefined);
      assert.equal(all.raw.as7341, null, "one message, kept once");
      const bytes = await fetch(new URL(all.raw.vl53l8ch.href, `${plant.base}${url}`));
      assert.equal(bytes.headers.get("content-type"), "application/octet-stream");
      assert.deepEqual(Buffer.from(await bytes.arrayBuffer()), sample.vl53l8ch?.raw?.bytes);
      assert.deepEqual((await ok(`${url}?time=${sample.measuredAt}`)).time, sample.measuredAt);
      await refused(`${url}?time=2020-01-01T00:00:00Z`, 404, "no-such-sample");
      await refused("/api/samples/nobody", 404, "no-such-sample");
      // A frame without a grade is found too.
      const { grade: _grade, ...ungraded } = makeSample();
      await plant.store([ungraded]);
      assert.equal((await ok(`/api/samples/${ungraded.sampleUid}`)).fusion_results, null);
    });

    it("gives a message's bytes as they came however they are stored, and says how many they were", async () => {
      const { grade: _grade, ...sample } = makeSample();
      const bytes = Buffer.from(JSON.stringify({ distance_matrix: Array(64).fill(412) }));
      if (sample.vl53l8ch) sample.vl53l8ch.raw = { format: "json", bytes };
      if (sample.as7341) sample.as7341.raw = { format: "json", bytes: Buffer.from(bytes) };
      await plant.store([sample]);
      const url = `/api/samples/${sample.sampleUid}`;
      const { raw, vl53l8ch_raw } = await ok(url);
      assert.equal(vl53l8ch_raw.raw_encoding, "zstd");
      assert.deepEqual([raw.as7341, raw.vl53l8ch.byte_length], [null, bytes.length]);
      const answer = await fetch(new URL(raw.vl53l8ch.href, `${plant.base}${url}`));
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
    });

    it("sums up lots and breeders", async () => {
      const { lots } = await ok("/api/lots");
      assert.deepEqual(
        lots.map(({ lot }: { lot: string }) => lot),
        ["LOT-5", "LOT-4", "LOT-3", "LOT-2", "LOT-1", "LOT-0"],
      );
      assert.deepEqual([lots[0].sample_count, lots[0].compliance_rate_pct], [40, 80]);
      const scores = samples.slice(200).map((s) => s.grade?.score ?? 0);
      const mean = scores.reduce((a, b) => a + b, 0) / 40;
      const deviation = Math.sqrt(scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 39);
      assert.ok(Math.abs(lots[0].avg_quality_score - mean) < 1e-9);
      assert.ok(Math.abs(lots[0].stddev_quality_score - deviation) < 1e-9);
      assert.deepEqual(lots[0].devices, ["dev-11", "dev-12", "dev-21", "dev-22"]);
      const names = async (filters: string) =>
        (await ok(`/api/lots?${filters}`)).lots.map((l: { lot: string }) => l.lot);
      assert.deepEqual(await names("q=lot-3"), ["LOT-3"]);
      assert.deepEqual(await names("q=%25"), []);
      assert.deepEqual(await names(`q=${encodeURIComponent("éric")}`), ["LOT-3", "LOT-0"]);
      assert.deepEqual(await names("lot=LOT-0&lot=LOT-4"), ["LOT-4", "LOT-0"]);
      assert.deepEqual(await names(`to=${samples[40]?.measuredAt}`), ["LOT-0"]);
      assert.deepEqual(await names(`from=${samples[200]?.measuredAt}&grade=REJECT`), ["LOT-5"]);
      const first = await ok("/api/lots?limit=4");
      const second = await ok(`/api/lots?limit=4&cursor=${first.next}`);
      assert.deepEqual([...first.lots, ...second.lots], lots);
      assert.equal(second.next, null);

      const lot = await ok("/api/lots/LOT-1");
      assert.equal(lot.samples_examined, 40);
      const [{ avg_severity, ...defect }] = lot.defects;
      assert.deepEqual(defect, { type: "surface_deformation", sensor: "vl53l8ch", samples: 40, max_severity: 0.3 });
      assert.ok(Math.abs(avg_severity - 0.3) < 1e-9);
      assert.equal(lot.course.length, 40);
      assert.equal(lot.by_device.length, 4);
      await refused("/api/lots/NONE", 404, "no-such-lot");

      const { breeders } = await ok("/api/breeders");
      assert.deepEqual(
        breeders.map((b: { breeder: string; lot_count: number; sample_count: number }) => [
          b.lot_count,
          b.sample_count,
        ]),
        [
          [2, 80],
          [2, 80],
          [2, 80],
        ],
      );
      const breeder = await ok(`/api/breeders/${encodeURIComponent("Ferme Éric")}`);
      assert.deepEqual([breeder.lot_count, breeder.sample_count, breeder.lots.length], [2, 80, 2]);
      assert.equal(
        breeder.trend.reduce((sum: number, day: { sample_count: number }) => sum + day.sample_count, 0),
        80,
      );
      await refused("/api/breeders/Nobody", 404, "no-such-breeder");
    });

    it("lists devices, lines, models, quarantine and accounts", async () => {
      const { devices, online, total } = await ok("/api/devices");
      assert.deepEqual([devices[0].status, devices[1].status, online, total], ["online", "offline", 1, 2]);
      assert.deepEqual(
        (await ok("/api/lines")).lines.map((line: { line: string }) => line.line),
        ["line-1", "line-2"],
      );
      assert.deepEqual(await ok("/api/analysis/models/"), { models: [], total: 0 });
      const page = await ok("/api/quarantine?limit=5");
      assert.equal(page.quarantined.length, 5);
      assert.equal((await ok(`/api/quarantine?limit=5&cursor=${page.next}`)).quarantined.length, 2);
      assert.equal((await ok("/api/quarantine?reason=other")).quarantined.length, 0);
      assert.equal((await ok("/api/line/accounts")).siteId, "site");
    });

    it("puts a lot in force for who may, and says who it was", async () => {
      const put = async (body: unknown, headers = {}, line = "line-1") =>
        conforms(
          "/api/lines/line-1/assignment",
          await plant.send("PUT", `/api/lines/${line}/assignment`, body, headers),
          "PUT",
        );
      const body = { lot: "LOT-9", breeder: "Ferme Éric" };
      assert.deepEqual((await put(body)).json.code, "not-signed-in");
      assert.deepEqual((await put(body, { "x-test-person": "ana:viewer" })).json.code, "not-allowed");
      const { json: made } = await put(body, OPERATOR);
      assert.deepEqual([made.lot, made.madeBy], ["LOT-9", "lea"]);
      assert.deepEqual(await ok("/api/lines/line-1/assignment"), made);
      assert.equal((await ok("/api/lines")).lines[0].assignment.id, made.id);
      const corrected = await put({ lot: "LOT-10", breeder: null, supersedes: made.id }, OPERATOR);
      assert.equal(corrected.json.supersedes, made.id);
      const again = await put({ ...body, supersedes: made.id }, OPERATOR);
      assert.deepEqual([again.status, again.json.code], [409, "already-superseded"]);
      const { assignments } = await ok("/api/lines/line-1/assignments");
      assert.deepEqual(
        assignments.map((one: { superseded_by: string | null }) => one.superseded_by),
        [null, corrected.json.id],
      );
      await refused("/api/lines/line-2/assignment", 404, "no-assignment");
      for (const bad of [
        "{",
        "[]",
        "null",
        {},
        { lot: 1, breeder: null },
        { ...body, from: "yesterday" },
        { ...body, from: "2020-01-01T00:00:00Z" },
        { ...body, more: 1 },
        `{"__proto__": {"lot": "x"}, "lot": "L", "breeder": null}`,
        { lot: "x".repeat(101), breeder: null },
      ])
        assert.equal((await put(bad, OPERATOR)).status, 400, JSON.stringify(bad));
      assert.equal((await put(" ".repeat(70_000), OPERATOR)).json.code, "body-too-large");
      assert.equal((await put(body, { ...OPERATOR, "content-type": "text/plain" })).json.code, "not-json");
      assert.equal((await put(body, { ...OPERATOR, origin: "http://evil.example" })).json.code, "bad-origin");
    });

    it("charts a figure over a period, and who fixed its limits", async () => {
      const since = samples[0]?.measuredAt ?? "";
      const chart = await ok(`/api/quality/chart?figure=score&from=${since}`);
      assert.equal(chart.points.length, 240);
      assert.deepEqual(
        [chart.subgroup_size, chart.is_cut, chart.limits_from, chart.is_provisional],
        [1, false, "window", false],
      );
      // Scores 0.9 0.8 0.65 0.5 0.2 in turn: mean 0.61; moving ranges 0.1 0.15 0.15 0.3 0.7, of 239 the sum is
      // 47 · 1.4 + 0.7 = 66.5; sigma = 66.5 / 239 / 1.128.
      assert.ok(Math.abs(chart.limits.center - 0.61) < 1e-9, String(chart.limits.center));
      assert.ok(Math.abs(chart.limits.upper - (0.61 + (3 * 66.5) / 239 / 1.128)) < 1e-9, String(chart.limits.upper));
      assert.deepEqual(chart.capability.unmet, ["no-tolerance", "not-normal"]);
      const means = await ok(`/api/quality/chart?figure=score&from=${since}&subgroup_size=2`);
      assert.ok(means.points.length > 20 && means.points.length <= 200, String(means.points.length));
      assert.deepEqual([means.slot_s, means.spread_kind], [900, "range"]);
      const one = await ok(`/api/quality/chart?figure=mass&from=${since}&line=line-1&device=dev-11&lambda=1&width=3`);
      assert.equal(one.points.length, 60);
      const nothing = await ok("/api/quality/chart?figure=mass&device=nobody");
      assert.deepEqual([nothing.points, nothing.limits], [[], null]);
      await refused("/api/quality/chart?figure=colour", 400, "bad-request");
      await refused(`/api/quality/chart?figure=mass&to=${since}&from=${new Date().toISOString()}`, 400, "bad-period");
      await refused("/api/quality/chart?figure=mass&from=2020-01-01T00:00:00Z", 400, "bad-period");

      const drift = await ok(
        `/api/quality/devices?figure=score&from=${new Date(Date.now() - 72 * 3_600_000).toISOString()}`,
      );
      assert.equal(drift.cell_s, 86_400);
      assert.deepEqual(
        drift.devices.map(({ device, products }: { device: string; products: number }) => [device, products]),
        [
          ["dev-11", 60],
          ["dev-12", 60],
          ["dev-21", 60],
          ["dev-22", 60],
        ],
      );
      assert.ok(drift.devices.every(({ cells }: { cells: number }) => cells > 3));
      assert.equal((await ok("/api/quality/devices?figure=delta_e&line=line-1")).devices.length, 2);
    });

    it("takes baselines and tolerances from who may, as dated records", async () => {
      const since = new Date(Date.now() - 47.5 * 3_600_000).toISOString();
      const body = {
        figure: "score",
        from: since,
        to: new Date().toISOString(),
        subgroup_size: 1,
        reason: "calm week",
      };
      const quality = { "x-test-person": "zoe:quality" };
      const send = async (method: string, url: string, data: unknown, headers: Record<string, string>) =>
        conforms(url, await plant.send(method, url, data, headers), method);
      for (const [method, url, data] of [
        ["POST", "/api/quality/baseline", body],
        ["PUT", "/api/quality/tolerance", { figure: "score", lower: 0.1 }],
      ] as const) {
        assert.equal((await send(method, url, data, {})).status, 401);
        assert.equal((await send(method, url, data, OPERATOR)).status, 403);
      }
      const chartUrl = `/api/quality/chart?figure=score&from=${since}`;
      assert.equal((await ok(chartUrl)).baseline, null);
      const fixed = (await send("POST", "/api/quality/baseline", body, quality)).json;
      assert.deepEqual([fixed.made_by, fixed.reason, fixed.line], ["zoe", "calm week", null]);
      const chart = await ok(chartUrl);
      assert.deepEqual(
        [chart.limits_from, chart.baseline.id, chart.limits.center],
        ["baseline", fixed.id, fixed.center],
      );
      // Of another line or device the period itself gives the limits.
      assert.equal((await ok(`${chartUrl}&line=line-1`)).limits_from, "window");
      const few = await send("POST", "/api/quality/baseline", { ...body, device: "nobody" }, quality);
      assert.deepEqual([few.status, few.json.code], [409, "too-few-points"]);

      const wrong = await send("PUT", "/api/quality/tolerance", { figure: "score", lower: 2, upper: 1 }, quality);
      assert.deepEqual([wrong.status, wrong.json.code], [400, "bad-tolerance"]);
      await send("PUT", "/api/quality/tolerance", { figure: "score", lower: 0.3 }, quality);
      await send("PUT", "/api/quality/tolerance", { figure: "score", line: "line-2", lower: 0.1, upper: 1 }, quality);
      const narrow = await ok(chartUrl);
      assert.deepEqual([narrow.tolerance.lower, narrow.tolerance.upper], [0.3, null]);
      const low = narrow.points.filter(({ value }: { value: number }) => value < 0.3);
      assert.ok(low.length > 0);
      assert.equal(narrow.capability.outside, low.length);
      assert.equal((await ok(`${chartUrl}&line=line-2`)).tolerance.lower, 0.1);
      await send("PUT", "/api/quality/tolerance", { figure: "score", line: "line-2" }, quality);
      assert.equal((await ok(`${chartUrl}&line=line-2`)).tolerance.lower, 0.3, "the line's own is gone");

      const end = "/api/quality/baseline?figure=score";
      const remove = async () => conforms(end, await plant.send("DELETE", end, "", quality), "DELETE");
      assert.equal((await remove()).json.kind, "baseline-withdrawn");
      assert.equal((await remove()).status, 404);
      assert.equal((await ok(chartUrl)).limits_from, "window");
      const { records } = await ok("/api/quality/records?figure=score");
      assert.deepEqual(
        records.map(({ kind }: { kind: string }) => kind),
        ["baseline-withdrawn", "tolerance", "tolerance", "tolerance", "baseline"],
      );
      await assert.rejects(plant.database.pool.query("DELETE FROM quality_records"), /append-only/);
    });

    it("tells how devices stand, and gives and takes their credentials", async () => {
      const url = "/api/devices/dev-11/credential";
      const engineer = { "x-test-person": "max:engineer" };
      assert.equal((await plant.send("POST", url, "", OPERATOR)).status, 403);
      const none = conforms(url, await plant.send("POST", url, "", engineer), "POST");
      assert.deepEqual([none.status, none.json.code], [503, "no-door"]);
      assert.equal((await ok("/api/devices/state")).credentials, "unknown");
      const lease = acquireCredentials(path.join(plant.dataDir, "devices.json"));
      try {
        const store = await lease.value;
        const issued = conforms(url, await plant.send("POST", url, "", engineer), "POST").json;
        assert.equal(store.book.ownerOf(issued.token), "dev-11");
        const board = await ok("/api/devices/state");
        assert.ok(!JSON.stringify(board).includes(issued.token));
        assert.deepEqual(
          board.devices.map(({ device_id, status }: { device_id: string; status: string }) => [device_id, status]),
          [
            ["dev-11", "online"],
            ["dev-21", "offline"],
          ],
        );
        const [first, second] = board.devices;
        assert.deepEqual([first.credential.state, first.credential.issued_by], ["unused", "max"]);
        assert.equal(second.credential, null);
        // Never heard of, yet it has a credential.
        conforms(url, await plant.send("POST", "/api/devices/new-1/credential", "", engineer), "POST");
        assert.equal((await ok("/api/devices/state")).devices.at(-1).status, "never");
        assert.equal(conforms(url, await plant.send("DELETE", url, "", engineer), "DELETE").status, 200);
        assert.equal((await ok("/api/devices/state")).devices[0].credential.revoked_by, "max");
        assert.equal(store.book.ownerOf(issued.token), undefined);
        const again = conforms(url, await plant.send("DELETE", url, "", engineer), "DELETE");
        assert.deepEqual([again.status, again.json.code], [404, "unknown-device"]);
      } finally {
        lease.release();
      }
    });

    it("lists the alarms that stand, and what happened to all", async () => {
      assert.deepEqual(await ok("/api/alarms"), { alarms: [] });
      const events = [
        ["a", "device-silent", "raised", "unacknowledged", null],
        ["b", "disk-low", "raised", "unacknowledged", null],
        ["a", "device-silent", "acknowledged", "acknowledged", "lea"],
        ["b", "disk-low", "cleared", "normal", null],
      ];
      for (const [id, code, event, state, actor] of events)
        await plant.database.pool.query(
          `INSERT INTO alarm_events (record_id, at, site_id, alarm_id, code, priority, event, state, actor, alarm)
           VALUES (gen_random_uuid(), now(), 'site', $1, $2, 'high', $3, $4, $5, '{}')`,
          [id, code, event, state, actor],
        );
      const standing = (await ok("/api/alarms")).alarms;
      assert.deepEqual(
        standing.map(({ alarm_id, state, actor }: Record<string, string>) => [alarm_id, state, actor]),
        [["a", "acknowledged", "lea"]],
      );
      const page = await ok("/api/alarms/history?limit=3");
      assert.deepEqual(
        page.events.map(({ event }: { event: string }) => event),
        ["cleared", "acknowledged", "raised"],
      );
      const rest = await ok(`/api/alarms/history?limit=3&cursor=${page.next}`);
      assert.deepEqual([rest.events.length, rest.events[0].alarm_id, rest.next], [1, "a", null]);
      assert.equal((await ok("/api/alarms/history?code=disk-low&event=raised")).events.length, 1);
      assert.equal((await plant.get("/api/alarms/history?format=csv")).text.trim().split("\r\n").length, 5);
      await refused("/api/alarms/history?cursor=bm8", 400, "bad-cursor");
    });

    it("says clearly that there is no training yet", async () => {
      const url = "/api/analysis/train/";
      const post = async (body: unknown, role: string) =>
        conforms(url, await plant.send("POST", url, body, { "x-test-person": `eva:${role}` }), "POST");
      assert.deepEqual(
        [
          (await post({}, "engineer")).json.code,
          (await post({}, "quality")).json.code,
          (await post({ epochs: 0 }, "admin")).json.code,
        ],
        ["training-not-available", "not-allowed", "bad-request"],
      );
    });

    it("answers hostile parameters with problems, never with a fault, and changes nothing", async () => {
      const evil = [
        "'; DROP TABLE fusion_results; --",
        "1e309",
        "-1",
        "99999999999999999999",
        "\u0000",
        "%",
        "__proto__",
        "{}",
        "A'+OR+1=1",
      ];
      for (const route of ROUTES.filter(({ method }) => method === "get"))
        for (const value of evil) {
          const text = encodeURIComponent(value);
          const path = `/api${route.path.replace(/\{[^}]*\}/g, text)}`;
          const names = Object.keys(route.query?.properties ?? {});
          for (const url of [path, ...names.map((name) => `${path}?${name}=${text}`), `${path}?${text}=1`]) {
            const answer = await plant.get(url);
            assert.ok(answer.status < 500, `${url}: ${answer.status} ${answer.text}`);
            if (answer.status >= 400) assert.equal(answer.type, "application/problem+json", url);
          }
        }
      assert.equal((await ok("/api/sensors/stats/?hours=72")).total_samples, 240);
      await refused("/api/samples?limit=1001", 400, "bad-request");
      await refused("/api/samples?cursor=AAAA", 400, "bad-cursor");
      const long = await plant.get(`/api/samples?product=${"x".repeat(9000)}`);
      assert.equal(long.status, 400);
    });

    it("leaves free what it does not have, and goes with its node", async () => {
      const missing = await plant.get("/api/nothing");
      assert.deepEqual([missing.status, missing.json.code], [404, "no-such-path"]);
      const wrong = await plant.send("DELETE", "/api/samples", {});
      assert.deepEqual([wrong.status, wrong.json.code, wrong.headers.get("allow")], [405, "method-not-allowed", "GET"]);
      const head = await fetch(`${plant.base}/api/lots`, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      await helper.setFlows([{ id: "tab", type: "tab", label: "t" }]);
      assert.equal((await plant.get("/api/lots")).status, 404);
      assert.notEqual((await plant.get("/api/lots")).type, "application/problem+json");
      await helper.setFlows(plant.flow());
      await ok("/api/lots");
    });
  });
