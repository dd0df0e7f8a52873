import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { misfits, openBrowser, openPage } from "./support/browser.ts";
import { ADMIN_PASSWORD, Line, until } from "./support/line.ts";

const WIDTHS = [390, 768, 1440] as const;
const LANGUAGES = {
  fr: {
    locale: "fr-FR",
    words: ["Dernier classement", "Carte des hauteurs", "Pourquoi ce classement", "Spectre", "Capteurs"],
  },
  en: { locale: "en-GB", words: ["Why this grade", "Height map", "Spectrum"] },
} as const;
const GRADES = /^(A\+|A|B|C|REJECT|REJET)$/;

describe("the pages of a running line", function () {
  this.timeout(180_000);
  let line: Line;
  let browser: Browser;

  before(async () => {
    line = await Line.create({ FOIEFLOW_SIMULATE: "1" });
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

  for (const [language, { locale, words }] of Object.entries(LANGUAGES)) {
    for (const width of WIDTHS) {
      it(`shows live grades at ${width} px in ${language}, with nothing cut off and no complaint`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/line?lang=${language}`);
          const mark = page.locator(".ff-grade[data-grade]").first();
          await mark.waitFor({ timeout: 20_000 });
          assert.match((await mark.getAttribute("data-grade")) ?? "", GRADES);
          const text = (await page.locator("body").innerText()).toLowerCase();
          for (const word of words) assert.ok(text.includes(word.toLowerCase()), `"${word}" is not on the page`);
          const shown = async () => page.locator(".ff-grade").first().innerText();
          const first = await shown();
          await until("the page to move on", async () => (await shown()) !== first, 20_000);
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

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

  it("greys out what is stale, and says that data stays away", async () => {
    const quiet = await Line.create();
    await quiet.start();
    const { context, page } = await openPage(browser, quiet.base, { width: 1440, height: 900, locale: "fr-FR" });
    try {
      await page.goto(`${quiet.base}/dashboard/line?lang=fr`);
      await page.waitForSelector(".ff-grade");
      await quiet.stop("SIGKILL");
      await page.locator(".ff-header-trouble[data-kind='bad']").first().waitFor({ timeout: 10_000 });
    } finally {
      await context.close();
      await quiet.remove();
    }
  });

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
});
