import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { openBrowser, openPage } from "./support/browser.ts";
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

/** Elements whose content is cut off or that reach beyond the page. */
async function overflows(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > window.innerWidth)
      found.push(`page is ${document.documentElement.scrollWidth} px wide`);
    for (const element of Array.from(document.querySelectorAll("[class*='ff-']"))) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && box.right > window.innerWidth + 1)
        found.push(`${element.className} reaches ${Math.round(box.right)} px`);
    }
    return found;
  });
}

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
          assert.deepEqual(await overflows(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

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
