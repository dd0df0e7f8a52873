import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { SampleMaker } from "../scripts/load/samples.ts";
import { misfits, openBrowser, openPage } from "./support/browser.ts";
import { WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";
import { widthsIn } from "./support/looks.ts";

const WORDS = {
  fr: { locale: "fr-FR", what: "Capteur sans étalonnage valable", todo: "Faites l’étalonnage" },
  en: { locale: "en-GB", what: "Device without a valid calibration", todo: "Calibrate it" },
} as const;

describe("the alarms' page", function () {
  this.timeout(240_000);
  let line: Line;
  let browser: Browser;
  let alarm: string;

  before(async () => {
    line = await Line.create();
    [browser] = await Promise.all([openBrowser(), line.start()]);
    const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    // A device without calibration that sends raw frames: that is an alarm after a few of them.
    const maker = new SampleMaker("raw", "ESP32_ALARM_01", 1, 1);
    for (let index = 0; index < 6; index += 1) await device.send(maker.next(Date.now()).bytes);
    await device.close();
    const row = await until(
      "the record of the alarm",
      async () => (await line.query("SELECT alarm_id FROM alarm_events WHERE code = 'uncalibrated'"))[0],
      60_000,
    );
    alarm = String(row.alarm_id);
  });
  after(async () => {
    await browser?.close();
    await line?.remove();
  });

  for (const [language, { locale, what, todo }] of Object.entries(WORDS)) {
    for (const width of widthsIn(language)) {
      it(`says what happened and what to do, with a banner on every page, at ${width} px in ${language}`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/line?lang=${language}`);
          const banner = page.locator(".ff-alarm-banner").first();
          await banner.waitFor({ timeout: 30_000 });
          assert.ok((await banner.innerText()).length > 10);
          assert.deepEqual(await misfits(page), []);
          await banner.click();
          const row = page.locator(`[data-alarm="${alarm}"]`);
          await row.waitFor({ timeout: 30_000 });
          const text = await row.innerText();
          assert.ok(text.includes(what) && text.includes(todo), text);
          assert.deepEqual(await misfits(page), []);
          // Nobody is signed in: the page says so and nothing happens.
          await row.locator('[data-action="ack"]').click();
          await page.locator('.ff-refusal[data-needed="operator"]').waitFor({ timeout: 30_000 });
          assert.equal(await row.getAttribute("data-state"), "unacknowledged");
          await row.locator('[data-action="shelve"]').click();
          assert.ok(await row.locator('[data-action="confirm"]').isDisabled(), "not without a reason");
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

  it("lets an operator acknowledge and shelve, and an engineer set a limit, each by name", async () => {
    const operator = await openPage(browser, line.base, {
      width: 768,
      height: 900,
      locale: "fr-FR",
      cookie: await line.signIn("operator"),
    });
    try {
      const { page, problems } = operator;
      await page.goto(`${line.base}/dashboard/alarms?lang=fr`);
      const row = page.locator(`[data-alarm="${alarm}"]`);
      await row.locator('[data-action="ack"]').click();
      await page.locator(`[data-alarm="${alarm}"][data-state="acknowledged"]`).waitFor({ timeout: 30_000 });
      await row.locator('[data-action="shelve"]').click();
      await row.locator('[data-minutes="60"]').click();
      await row.locator('input[name="reason"]').fill("plaque blanche commandée");
      await row.locator('[data-action="confirm"]').click();
      await page.locator(`[data-card="shelved"] [data-alarm="${alarm}"]`).waitFor({ timeout: 30_000 });
      assert.equal(await page.locator('[data-action="limit"]').count(), 0, "limits are not an operator's");
      assert.deepEqual(problems, []);
    } finally {
      await operator.context.close();
    }
    const engineer = await openPage(browser, line.base, {
      width: 1440,
      height: 900,
      locale: "en-GB",
      cookie: await line.signIn("engineer"),
    });
    try {
      const { page, problems } = engineer;
      await page.goto(`${line.base}/dashboard/alarms?lang=en`);
      const rule = page.locator('[data-rule="disk-low"]');
      await rule.locator('input[name="limit"]').fill("4096");
      await rule.locator('[data-action="limit"]').click();
      await rule.locator('[data-action="reset"]').waitFor({ timeout: 30_000 });
      assert.match(await rule.innerText(), /4,096 MiB[\s\S]*set by engineer/);
      assert.deepEqual(problems, []);
    } finally {
      await engineer.context.close();
    }
    const records = await until(
      "the records",
      async () => {
        const rows = await line.query(
          "SELECT event, actor, reason FROM alarm_events WHERE alarm_id = $1 AND actor IS NOT NULL ORDER BY event_no",
          [alarm],
        );
        return rows.length === 2 && rows;
      },
      60_000,
    );
    assert.deepEqual(records, [
      { event: "acknowledged", actor: "operator", reason: null },
      { event: "shelved", actor: "operator", reason: "plaque blanche commandée" },
    ]);
  });
});
