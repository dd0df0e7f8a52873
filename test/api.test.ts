import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { openBrowser, openPage } from "./support/browser.ts";
import { capturedLines, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";

const root = path.resolve(import.meta.dirname, "..");

/** A client as somebody else would write it, on types generated from the document. */
const CLIENT = `
import createClient from "openapi-fetch";
import type { components, paths } from "./api.ts";

const client = createClient<paths, \`application/\${string}\`>({ baseUrl: process.argv[2] ?? "" });
const grade = (sample: components["schemas"]["Sample"]): "A+" | "A" | "B" | "C" | "REJECT" => sample.final_grade;

const list = await client.GET("/api/samples", { params: { query: { limit: 2, grade: ["A+", "A", "B", "C", "REJECT"] } } });
if (!list.data) throw new Error(list.error?.code);
const [first] = list.data.samples;
if (!first) throw new Error("no sample");
const next = await client.GET("/api/samples", { params: { query: { limit: 2, ...(list.data.next && { cursor: list.data.next }) } } });
const lot = await client.GET("/api/lots/{lot}", { params: { path: { lot: first.lot_abattage ?? "" } } });
const stats = await client.GET("/api/sensors/stats/", { params: { query: { hours: 2160 } } });
const bad = await client.GET("/api/samples/{uid}", { params: { path: { uid: "nobody" } } });
const latest = await client.GET("/api/sensors/latest/");
console.log(JSON.stringify({
  grade: grade(first),
  second: next.data?.samples.map(({ sample_uid }) => sample_uid),
  lotSamples: lot.data?.sample_count,
  total: stats.data?.total_samples,
  code: bad.error?.code,
  latest: latest.data?.fusion.sample_uid,
}));
`;
/** What the types must refuse: each line is an error. */
const WRONG = `
import createClient from "openapi-fetch";
import type { paths } from "./api.ts";
const client = createClient<paths>({ baseUrl: "" });
// @ts-expect-error no such path
await client.GET("/api/nothing");
// @ts-expect-error a number
await client.GET("/api/samples", { params: { query: { limit: "many" } } });
// @ts-expect-error the lot is missing
await client.PUT("/api/lines/{line}/assignment", { params: { path: { line: "line-1" } }, body: { breeder: null } });
`;

describe("the API of a running line", function () {
  this.timeout(180_000);
  let line: Line;
  before(async () => {
    line = await Line.create();
    await line.start();
    const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    const messages = samplesOf(capturedLines().current).slice(0, 6);
    for (const message of messages) await device.send(message);
    await device.close();
    await until("the samples", async () => {
      const [row] = await line.query<{ n: number }>("SELECT count(*)::integer AS n FROM fusion_results");
      return row?.n === messages.length;
    });
  });
  after(() => line.remove());

  const documentOf = async () => (await fetch(`${line.base}/api/openapi.json`)).json();

  it("is described by a valid OpenAPI 3.1 document", async () => {
    const document = await documentOf();
    assert.match(document.openapi, /^3\.1\./);
    const { valid, errors } = await new Validator().validate(document);
    assert.ok(valid, JSON.stringify(errors)?.slice(0, 2000));
    for (const mission of ["sensors/latest", "sensors/history", "sensors/stats", "analysis/models", "analysis/train"])
      assert.ok(document.paths[`/api/${mission}/`], mission);
  });

  it("serves the mission's paths, with and without a slash at the end", async () => {
    for (const mission of ["sensors/latest", "sensors/history", "sensors/stats", "analysis/models"])
      for (const end of ["", "/", "/?"])
        assert.equal((await fetch(`${line.base}/api/${mission}${end}`)).status, 200, mission + end);
  });

  it("takes a change from who may do it", async () => {
    const send = (headers: Record<string, string>) =>
      fetch(`${line.base}/api/lines/line-1/assignment`, {
        method: "PUT",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ lot: "LOT-API", breeder: "Ferme Éric" }),
      });
    assert.equal((await send({})).status, 403, "this machine may only read");
    const answer = await send({ cookie: await line.signIn("operator") });
    const made = await answer.json();
    assert.deepEqual([answer.status, made.lot, made.madeBy], [201, "LOT-API", "operator"]);
  });

  it("works with a client generated from the document, whose types hold", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "foieflow-client-"));
    try {
      const types = astToString(await openapiTS(await documentOf()));
      writeFileSync(path.join(folder, "api.ts"), types);
      writeFileSync(path.join(folder, "client.ts"), CLIENT);
      writeFileSync(path.join(folder, "wrong.ts"), WRONG);
      writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
      symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
      const options = [
        "--noEmit",
        "--strict",
        "--target",
        "es2024",
        "--module",
        "nodenext",
        "--allowImportingTsExtensions",
        "--types",
        "node",
      ];
      execFileSync(
        process.execPath,
        [path.join(root, "node_modules/typescript/bin/tsc"), ...options, "client.ts", "wrong.ts"],
        {
          cwd: folder,
          encoding: "utf8",
          stdio: "pipe",
        },
      );
      const told = JSON.parse(
        execFileSync(process.execPath, [path.join(folder, "client.ts"), line.base], { encoding: "utf8" }),
      );
      const [newest] = await line.query<{ sample_uid: string }>(
        "SELECT sample_uid FROM fusion_results ORDER BY time DESC, sample_uid DESC LIMIT 1",
      );
      assert.match(told.grade, /^(A\+|A|B|C|REJECT)$/);
      assert.equal(told.second.length, 2);
      assert.deepEqual([told.total > 0, told.lotSamples > 0, told.code], [true, true, "no-such-sample"]);
      assert.equal(told.latest, newest?.sample_uid);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("shows its documentation without any request beyond the line", async () => {
    const browser = await openBrowser();
    try {
      const { page, problems } = await openPage(browser, line.base, { width: 1280, height: 900, locale: "fr" });
      await page.goto(`${line.base}/api/docs/`);
      await page.waitForSelector("#operations-sensors-getLatest");
      assert.equal((await page.locator(".opblock").count()) > 15, true);
      await page.click("#operations-sensors-getLatest button.opblock-summary-control");
      await page.click("#operations-sensors-getLatest button.execute");
      await page.waitForSelector("#operations-sensors-getLatest .live-responses-table");
      assert.match(
        await page.locator("#operations-sensors-getLatest .live-responses-table").innerText(),
        /final_grade/,
      );
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
    }
  });
});
