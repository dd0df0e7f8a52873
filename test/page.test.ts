import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { Browser, Locator, Page } from "playwright-core";
import { LoadProcess } from "../scripts/load/process.ts";
import { barriers, misfits, openBrowser, openPage } from "./support/browser.ts";
import { WebSocketDevice } from "./support/devices.ts";
import { ADMIN_PASSWORD, Line, until } from "./support/line.ts";
import { isLong } from "./support/long.ts";
import { WIDTHS } from "./support/looks.ts";
import { shippedPages } from "./support/pages.ts";

const LANGUAGES = {
  fr: {
    locale: "fr-FR",
    words: ["Dernier classement", "Carte des hauteurs", "Pourquoi ce classement", "Spectre", "Capteurs"],
  },
  en: { locale: "en-GB", words: ["Why this grade", "Height map", "Spectrum"] },
} as const;
const GRADES = /^(A\+|A|B|C|REJECT|REJET)$/;

const VIEWS = WIDTHS.flatMap((width, index) => [
  { width, language: "fr", colorScheme: index % 2 === 0 ? "light" : "dark" } as const,
  { width, language: "en", colorScheme: index % 2 === 0 ? "dark" : "light" } as const,
]);

const PAGES = shippedPages();
/** The line's page in all its looks; of the others, which have tests of their own, one each in the short form. */
const LOOKS = PAGES.flatMap((name, index) =>
  VIEWS.filter((_, at) => isLong || name === "line" || at === index % VIEWS.length).map((view) => ({ name, ...view })),
);

/** Process that keeps the embedded database of a line. */
function engineOf(line: Line): number {
  const engines = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(line.pid)], { encoding: "utf8" })
    .split("\n")
    .filter((text) => text.includes("engine-entry"));
  assert.equal(engines.length, 1, engines.join("\n"));
  return Number.parseInt(engines[0] ?? "", 10);
}

/** Of a browser's trace; `ts` in µs. */
interface TraceEvent {
  ts: number;
  args: { elementCount?: number; data?: { message?: string } };
}

function isTraceEvent(event: object): event is TraceEvent {
  return "ts" in event && typeof event.ts === "number" && "args" in event && typeof event.args === "object";
}

/** How many elements the browser styles anew, of all there are, when one figure of the page changes. */
async function styledByAFigure(page: Page): Promise<{ styled: number; all: number }> {
  const client = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  client.on("Tracing.dataCollected", (chunk: { value: object[] }) => {
    events.push(...chunk.value.filter(isTraceEvent));
  });
  await client.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["devtools.timeline", "disabled-by-default-devtools.timeline"] },
  });
  const all = await page.evaluate(() => {
    const figure = document.querySelector(".ff-card-title");
    const styleAll = () => void document.body.offsetHeight;
    styleAll();
    console.timeStamp("before");
    if (figure) figure.textContent += "·";
    styleAll();
    console.timeStamp("after");
    return document.querySelectorAll("*").length;
  });
  const ended = new Promise((resolve) => client.once("Tracing.tracingComplete", resolve));
  await client.send("Tracing.end");
  await ended;
  const at = (message: string) => events.find(({ args }) => args.data?.message === message)?.ts ?? Number.NaN;
  const between = events.filter(({ ts }) => ts >= at("before") && ts <= at("after"));
  assert.ok(between.length >= 2, "the browser tells what it did");
  return { styled: between.reduce((sum, { args }) => sum + (args.elementCount ?? 0), 0), all };
}

describe("the pages of a running line", function () {
  this.timeout(isLong ? 600_000 : 180_000);
  let line: Line;
  let browser: Browser;

  before(async () => {
    line = await Line.create({ FOIEFLOW_SIMULATE: "1" }, { first: true });
    [browser] = await Promise.all([openBrowser(), line.start()]);
  });
  after(async () => {
    await browser?.close();
    await line?.remove();
  });

  it("has rows in all five hypertables within a minute, over all three transports", async () => {
    await until(
      "samples over all transports",
      async () => (await line.query("SELECT DISTINCT transport FROM fusion_results")).length === 3,
      60_000,
    );
    for (const table of ["vl53l8ch_raw", "vl53l8ch_analysis", "as7341_raw", "as7341_analysis", "fusion_results"])
      assert.ok((await line.query(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0, table);
    assert.deepEqual(
      (
        await line.query(
          "SELECT hypertable_name FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'",
        )
      ).length,
      5,
    );
  });

  it("has a page of every kind", () => assert.ok(PAGES.includes("line") && PAGES.length >= 7, String(PAGES)));

  for (const { name, width, language, colorScheme } of LOOKS)
    it(`shows ${name} at ${width} px in ${language}, ${colorScheme}: nothing cut off, too small, hard to read or missing`, async () => {
      const { locale, words } = LANGUAGES[language];
      const cookie = await line.signIn("admin");
      const { context, page, problems } = await openPage(browser, line.base, {
        width,
        height: 900,
        locale,
        colorScheme,
        cookie,
      });
      try {
        await page.goto(`${line.base}/dashboard/${name}?lang=${language}`);
        await page.locator(`.ff-pages [data-page="${name}"][aria-current]`).waitFor({ timeout: 20_000 });
        await page.locator('.ff-person[data-role="admin"]').waitFor({ timeout: 20_000 });
        if (name === "line") {
          const mark = page.locator(".ff-grade[data-grade]").first();
          await mark.waitFor({ timeout: 20_000 });
          assert.match((await mark.getAttribute("data-grade")) ?? "", GRADES);
          const text = (await page.locator("body").innerText()).toLowerCase();
          for (const word of words) assert.ok(text.includes(word.toLowerCase()), `"${word}" is not on the page`);
          const shown = async () => page.locator(".ff-grade").first().innerText();
          const first = await shown();
          await until("the page to move on", async () => (await shown()) !== first, 20_000);
        }
        assert.deepEqual(await misfits(page), []);
        assert.deepEqual(await barriers(page), []);
        await page.locator('.ff-pages [data-action="pages"]').click();
        assert.deepEqual(await misfits(page), [], "unfolded");
        assert.deepEqual(problems, []);
      } finally {
        await context.close();
      }
    });

  it("takes a product for its four cards in one piece, and has only what changed styled anew", async () => {
    const { context, page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR" });
    try {
      const cards = new Set<number>();
      page.on("websocket", (socket) =>
        socket.on("framereceived", ({ payload }) => {
          const text = String(payload);
          const live = text.split('"section":"live"').length - 1;
          if (text.includes('42["foieflow-together"') && live > 0) cards.add(live);
        }),
      );
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      const mark = page.locator(".ff-grade[data-measured]").first();
      await mark.waitFor({ timeout: 20_000 });
      await until("a product in one piece", async () => cards.has(4), 20_000);
      const first = await mark.getAttribute("data-measured");
      await until("the next product", async () => (await mark.getAttribute("data-measured")) !== first, 20_000);
      const { styled, all } = await styledByAFigure(page);
      assert.ok(all > 300 && styled < all / 10, `${styled} of ${all} elements`);
    } finally {
      await context.close();
    }
  });

  it("keeps still from a good product to a reject and back", async () => {
    const { context, page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR" });
    const device = { transport: "websocket", kind: "sqal", device: "ESP32_MG_9", window: 16, ratePerS: 10 } as const;
    const load = await LoadProcess.prepare({
      boot: 9,
      seed: 9,
      websocketUrl: `ws://127.0.0.1:${line.port}/ws/sensors/`,
      mqttUrl: `mqtt://127.0.0.1:${line.mqttPort}`,
      devices: [device],
    });
    try {
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      await page.locator(".ff-grade[data-grade]").waitFor({ timeout: 20_000 });
      load.start();
      const heights = new Map<string, Set<number>>();
      await until(
        "a good product and a reject",
        async () => {
          const [grade = "", height = 0] = await page.evaluate(async () => {
            await new Promise(requestAnimationFrame);
            const card = document.querySelector(".ff-grade");
            return [card?.getAttribute("data-grade") ?? "", card?.getBoundingClientRect().height ?? 0] as const;
          });
          heights.set(grade, (heights.get(grade) ?? new Set()).add(height));
          return (heights.get("REJECT")?.size ?? 0) > 0 && heights.has("A") && heights.has("A+");
        },
        60_000,
      );
      const all = [...heights.values()].flatMap((seen) => [...seen]);
      assert.ok(
        Math.max(...all) - Math.min(...all) < 24,
        `the grade's card is ${[...new Set(all)].join(", ")} px high`,
      );
    } finally {
      load.kill();
      await context.close();
    }
  });

  it("shows the spectrum beside that of the sensor's good products", async () => {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 390,
      height: 900,
      locale: "fr-FR",
    });
    try {
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      const card = page.locator(".ff-spectrum", { has: page.locator(".ff-bar-reference") });
      await card.waitFor({ timeout: 90_000 });
      assert.equal(await card.locator(".ff-bar-reference").count(), 9);
      const text = await card.innerText();
      assert.match(
        text,
        /médiane des \d\d derniers A\+ et A de ce capteur · plus grand écart : (F\d|NIR) [+−-]?\d+\s%/,
      );
      const fits = await card.evaluate((element) => {
        const room = element.getBoundingClientRect();
        const marks = [...element.querySelectorAll(".ff-bar-reference")].map((mark) => mark.getBoundingClientRect());
        return marks.every((mark) => mark.width > 10 && mark.top > room.top && mark.bottom < room.bottom);
      });
      assert.ok(fits, "each mark is in its card");
      assert.deepEqual(await misfits(page), []);
      assert.deepEqual(await barriers(page), []);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  });

  it("changes lot and breeder in two taps, for who may, and says by whom and since when", async () => {
    const put = (cookie: string, lot: string, breeder: string) =>
      fetch(`${line.base}/api/lines/line-1/assignment`, {
        method: "PUT",
        headers: { "content-type": "application/json", cookie },
        body: JSON.stringify({ lot, breeder }),
      });
    const cookie = await line.signIn("operator");
    for (const [lot, breeder] of [
      ["LOT-1", "Ferme Éric"],
      ["LOT-2", "GAEC des Deux Ponts"],
    ] as const)
      assert.equal((await put(cookie, lot, breeder)).status, 201);
    const anyone = await openPage(browser, line.base, { width: 390, height: 900, locale: "fr-FR" });
    try {
      const { page } = anyone;
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      await page.locator('.ff-lot[data-lot="LOT-2"]').waitFor({ timeout: 30_000 });
      await page.click('.ff-lot [data-action="change"]');
      await page.click('[data-pick="LOT-1"]');
      await page.locator('.ff-refusal[data-needed="operator"]').waitFor({ timeout: 30_000 });
      assert.equal(await page.locator('.ff-lot[data-lot="LOT-2"]').count(), 1);
    } finally {
      await anyone.context.close();
    }
    const operator = await openPage(browser, line.base, { width: 768, height: 900, locale: "fr-FR", cookie });
    try {
      const { page, problems } = operator;
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      await page.locator('.ff-lot[data-lot="LOT-2"]').waitFor({ timeout: 30_000 });
      await page.click('.ff-lot [data-action="change"]');
      assert.deepEqual(await misfits(page), []);
      assert.deepEqual(await barriers(page), []);
      await page.click('[data-pick="LOT-1"]');
      const card = page.locator('.ff-lot[data-lot="LOT-1"]');
      await card.waitFor({ timeout: 30_000 });
      assert.match(await card.innerText(), /Ferme Éric[\s\S]*par operator, depuis \d\d:\d\d/);
      // Another one, in the place of the one chosen by mistake.
      await page.click('.ff-lot [data-action="change"]');
      await page.click('[data-mode="correct"]');
      await page.click('[data-action="other"]');
      await page.fill('.ff-lot input[name="lot"]', "LOT-3");
      await page.click('[data-breeder="GAEC des Deux Ponts"]');
      assert.deepEqual(await misfits(page), []);
      assert.deepEqual(await barriers(page), []);
      await page.click('[data-action="save"]');
      await page.locator('.ff-lot[data-lot="LOT-3"]').waitFor({ timeout: 30_000 });
      assert.deepEqual(problems, []);
    } finally {
      await operator.context.close();
    }
    const records = await line.query(
      "SELECT lot_abattage, eleveur, made_by, supersedes IS NOT NULL AS corrects FROM line_assignments ORDER BY assignment_id",
    );
    assert.deepEqual(
      records.map(Object.values).map((values) => values.join(" | ")),
      [
        "LOT-1 | Ferme Éric | operator | false",
        "LOT-2 | GAEC des Deux Ponts | operator | false",
        "LOT-1 | Ferme Éric | operator | false",
        "LOT-3 | GAEC des Deux Ponts | operator | true",
      ],
    );
  });

  for (const [width, language, kind, words] of [
    [390, "fr", "breeder", ["Répartition des classes", "Évolution par jour de production", "Défauts"]],
    [768, "en", "lot", ["Course of the lot", "By device", "Defects"]],
    [1440, "fr", "lot", ["Déroulement du lot", "Par capteur", "Exporter"]],
  ] as const) {
    it(`looks for a ${kind}, compares two and goes down to a sample, at ${width} px in ${language}`, async () => {
      const { context, page, problems } = await openPage(browser, line.base, {
        width,
        height: 900,
        locale: "fr-FR",
        ...(width === 1440 && { cookie: await line.signIn("operator") }),
      });
      const back = async (action: string) => {
        if (width < 1000) await page.click(`[data-action="${action}"]`);
      };
      try {
        await page.goto(`${line.base}/dashboard/lots?lang=${language}`);
        await page.click(`.ff-lots [data-kind="${kind}"]`);
        const rows = page.locator(`.ff-lots-list [data-row]`);
        await rows.nth(1).waitFor({ timeout: 30_000 });
        assert.deepEqual(await misfits(page), []);
        const name = (await rows.nth(1).getAttribute("data-row")) ?? "";
        await page.fill('.ff-lots input[name="q"]', name.slice(1));
        await page.click('[data-action="search"]');
        await until(
          "the search",
          async () => (await rows.count()) === 1 && (await rows.first().getAttribute("data-row")) === name,
        );
        await page.click('[data-action="clear"]');
        await rows.nth(1).waitFor();
        for (const index of [0, 1]) await rows.nth(index).locator('[data-action="tick"]').click();
        await page.click('[data-action="compare"]');
        await page.locator("[data-group]").nth(1).waitFor({ timeout: 30_000 });
        assert.deepEqual(await misfits(page), []);
        assert.deepEqual(await barriers(page), []);
        await back("list");
        await page.locator(`[data-row="${name}"] [data-action="open"]`).click();
        const detail = page.locator(`[data-detail="${name}"]`);
        await detail.locator(".ff-shares-key").waitFor({ timeout: 30_000 });
        const text = await detail.innerText();
        for (const word of words) assert.ok(text.includes(word), `"${word}" is not in: ${text}`);
        assert.deepEqual(await misfits(page), []);
        assert.deepEqual(await barriers(page), []);
        for (const file of width === 1440 ? (["pdf", "xlsx", "csv"] as const) : []) {
          const [download] = await Promise.all([
            page.waitForEvent("download", { timeout: 60_000 }),
            page.click(`[data-export="${file}"]`),
          ]);
          assert.ok(download.suggestedFilename().endsWith(`.${file}`), download.suggestedFilename());
          await page.locator(`[data-export="${file}"]:not(:disabled)`).waitFor();
        }
        await page.click('[data-action="samples"]');
        await page.locator("[data-sample]").first().click();
        const stored = page.locator("[data-stored]");
        await stored.locator("canvas").waitFor({ timeout: 30_000 });
        await stored.locator('[data-table="vl53l8ch_raw"] summary').click();
        assert.match(await stored.innerText(), /distance_matrix/);
        assert.match(await stored.innerText(), language === "fr" ? /jamais utilisé/ : /never used/);
        assert.deepEqual(await misfits(page), []);
        assert.deepEqual(await barriers(page), []);
        assert.deepEqual(problems, []);
      } finally {
        await context.close();
      }
    });
  }

  for (const [locale, label, help] of [
    ["fr-FR", "décoder", "Lit ce que les appareils"],
    ["en-US", "decode", "Reads what devices sent"],
  ] as const) {
    it(`shows our nodes with labels and help in the editor in ${locale}`, async () => {
      const { context, page, problems } = await openPage(browser, line.base, { width: 1440, height: 900, locale });
      try {
        await page.goto(line.base);
        await page.fill("#node-dialog-login-username", "admin");
        await page.fill("#node-dialog-login-password", ADMIN_PASSWORD);
        await page.click("#node-dialog-login-submit");
        await page.waitForSelector("#red-ui-workspace-chart .red-ui-flow-node", { timeout: 60_000 });
        const palette = await page.locator("#red-ui-palette-base-category-FoieFlow").innerText();
        assert.ok(palette.toLowerCase().includes(label), palette);
        const text = await page.evaluate(() => {
          const red = (globalThis as unknown as { RED: { nodes: { getNodeHelp(type: string): string } } }).RED;
          return red.nodes.getNodeHelp("foieflow-decode");
        });
        assert.match(text, new RegExp(help));
        // The editor asks for its settings before the sign-in and is told 401: that one is Node-RED's own.
        assert.deepEqual(
          problems.filter((problem) => !problem.includes("401")),
          [],
        );
      } finally {
        await context.close();
      }
    });
  }

  it("says at once that a device, the database or the server is gone, and takes it back by itself", async () => {
    const { context, page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR" });
    const seen: string[] = [];
    /** Waits for what a page shows after something was done; how long it took is told, and bound in the long form. */
    const shows = async (what: string, locator: Locator, withinMs = 5_000) => {
      const fromMs = performance.now();
      await locator.first().waitFor({ timeout: isLong ? withinMs : 60_000 });
      seen.push(`${what} ${((performance.now() - fromMs) / 1000).toFixed(1)} s`);
    };
    const trouble = (text: string) => page.locator(".ff-header-trouble[data-kind='bad']", { hasText: text });
    const live = page.locator(".ff-header-live:not(.ff-header-off)");
    const device = (state: string) =>
      page.locator(`.ff-device[data-state="${state}"]`, { hasText: "ESP32_TO_BE_KILLED" });
    const hello = JSON.stringify({ type: "esp32_hello", device_id: "ESP32_TO_BE_KILLED", firmware_version: "1.0.0" });
    const connect = async () => {
      const door = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
      await door.send(hello);
      return door;
    };
    try {
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      await live.waitFor({ timeout: 30_000 });

      const first = await connect();
      await device("connected").waitFor({ timeout: 30_000 });
      first.socket.terminate();
      await shows("a device", device("disconnected"));
      const second = await connect();
      await shows("back", device("connected"));
      await second.close();

      process.kill(engineOf(line), "SIGKILL");
      await shows("the database", trouble("Base de données injoignable"));
      await shows("back", live, 30_000);
      assert.equal(await trouble("Base de données injoignable").count(), 0);

      await line.stop("SIGKILL");
      await shows("the server", trouble("Serveur injoignable"));
      assert.equal(await page.locator(".ff-grade.ff-stale").count(), 1, "an old grade does not look like a new one");
      assert.equal(await page.locator(".ff-lot.ff-stale").count(), 1, "nor does a lot");
      await line.start();
      await shows("back", live, 30_000);
      assert.equal(await trouble("Serveur injoignable").count(), 0);
      console.log(`      visible after: ${seen.join(", ")}`);
    } finally {
      await context.close();
    }
  });
});
