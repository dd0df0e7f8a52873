import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { barriers, follow, misfits, openBrowser, openPage } from "./support/browser.ts";
import { capturedLines, messageOf, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";
import { widthsIn } from "./support/looks.ts";

const WORDS = {
  fr: { locale: "fr-FR", rule: "Point au-delà de 3 σ", unmet: "Aucune tolérance" },
  en: { locale: "en-GB", rule: "Point beyond 3 σ", unmet: "No tolerance" },
} as const;

/**
 * 2000 products of the last ten hours, by turns of two devices: masses that are about normal without chance (sums of
 * fractions), device b 15 g above a, and one device's last products far too light.
 */
const PRODUCTS = `INSERT INTO fusion_results (time, device_id, sample_id, sample_uid, site_id, line_id, entry_id, received_at,
    transport, time_source, final_grade, final_quality_score, is_compliant, is_historical, num_defects, defects, vetoes, reasons,
    metrics, mass_g, thickness_mm, delta_e, lot_abattage, shift, production_day, spec_id, spec_version, spec_hash)
  SELECT now() - make_interval(secs => 18 * (2000 - n)), CASE n % 2 WHEN 0 THEN 'dev-a' ELSE 'dev-b' END, 's-' || n, 'u-' || n,
    $1, $2, 'e-' || n, now(), 'mqtt', 'device', 'A', 0.8, true, false, 0, '[]', '[]', '[]', '{}',
    500 + 30 * ((n * 0.6180339887) % 1 + (n * 0.4142135624) % 1 + (n * 0.7320508076) % 1 + (n * 0.2360679775) % 1 - 2)
      + 15 * (n % 2) - CASE WHEN n > 1900 THEN 200 ELSE 0 END,
    46, 2, 'LOT-' || n / 200, 'matin', current_date, 'duck', '1', 'h' FROM generate_series(1, 2000) n`;

describe("the pages of quality and of devices", function () {
  this.timeout(240_000);
  let line: Line;
  let browser: Browser;

  before(async () => {
    line = await Line.create();
    [browser] = await Promise.all([openBrowser(), line.start()]);
    await line.query(PRODUCTS, ["site-1", "line-1"]);
    await line.query(
      `INSERT INTO devices (device_id, site_id, line_id, transport, first_seen_at, last_seen_at)
       VALUES ('dev-a', 'site-1', 'line-1', 'mqtt', now(), now()), ('dev-b', 'site-1', 'line-1', 'mqtt', now(), now())`,
    );
  });
  after(async () => {
    await browser?.close();
    await line?.remove();
  });

  for (const [language, { locale, rule, unmet }] of Object.entries(WORDS)) {
    for (const width of widthsIn(language)) {
      it(`shows the chart, the rule broken in words, and the device that is off, at ${width} px in ${language}`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/quality?lang=${language}`);
          await page.locator(".ff-chart-point").first().waitFor({ timeout: 30_000 });
          const points = await page.locator(".ff-chart .ff-chart-point, .ff-chart [data-shape]").count();
          assert.ok(points > 40 && points <= 250, `${points} points`);
          assert.ok((await page.locator('.ff-chart [data-shape="diamond"]').count()) >= 1);
          const signals = page.locator(".ff-quality-signal");
          assert.ok((await signals.first().innerText()).includes(rule), await signals.first().innerText());
          await signals.first().click();
          assert.ok((await page.locator("[data-chosen]").innerText()).includes(rule));
          assert.ok((await page.locator('[data-card="capability"]').innerText()).includes(unmet));
          await page.locator('[data-device="dev-b"][data-verdict="differs"]').waitFor({ timeout: 30_000 });
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(await barriers(page), []);
          for (const kind of ["ewma", "spread"]) {
            await page.locator(`[data-kind="${kind}"]`).click();
            assert.ok((await page.locator(".ff-chart [data-shape='diamond'], .ff-chart-point").count()) > 40);
            assert.deepEqual(await misfits(page), []);
          }
          // One device, each product: its newest 250 of 1000.
          await page.selectOption('[name="line"]', "line-1");
          await page.selectOption('[name="device"]', "dev-a");
          await page.selectOption('[name="size"]', "1");
          await page.locator('[data-kind="shewhart"]').click();
          await page.waitForFunction(
            () => document.querySelectorAll(".ff-chart .ff-chart-point, .ff-chart [data-shape]").length === 250,
          );
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

  it("lets quality set a tolerance and fix a baseline, by name, and nobody below", async () => {
    const operator = await openPage(browser, line.base, {
      width: 768,
      height: 900,
      locale: "fr-FR",
      cookie: await line.signIn("operator"),
    });
    try {
      await operator.page.goto(`${line.base}/dashboard/quality?lang=fr`);
      await operator.page.locator('[data-form="tolerance"]').waitFor({ timeout: 30_000 });
      await operator.page.locator('[data-form="baseline"]').waitFor({ state: "detached", timeout: 30_000 });
      assert.equal(await operator.page.locator('[data-action="tolerance"]').count(), 0);
      assert.deepEqual(operator.problems, []);
    } finally {
      await operator.context.close();
    }
    const quality = await openPage(browser, line.base, {
      width: 1440,
      height: 900,
      locale: "en-GB",
      cookie: await line.signIn("quality"),
    });
    try {
      const { page, problems } = quality;
      await page.goto(`${line.base}/dashboard/quality?lang=en`);
      await page.locator('[data-form="tolerance"] [name="lower"]').fill("400");
      await page.locator('[data-form="tolerance"] [name="upper"]').fill("600");
      await page.locator('[data-action="tolerance"]').click();
      await page.locator("[data-said]").waitFor({ timeout: 30_000 });
      assert.equal(await page.locator("[data-said]").innerText(), "Saved.");
      assert.match(await page.locator('[data-card="fixed"]').innerText(), /set by quality on/);
      await page.locator('[data-form="baseline"] [name="reason"]').fill("calm morning");
      await page.locator('[data-action="baseline"]').click();
      await page.locator('[data-action="withdraw"]').waitFor({ timeout: 30_000 });
      assert.match(await page.locator('[data-card="chart"]').innerText(), /fixed by quality on/);
      await page.locator('[data-action="withdraw"]').click();
      await page.locator('[data-action="withdraw"]').waitFor({ state: "detached", timeout: 30_000 });
      assert.match(await page.locator('[data-card="chart"]').innerText(), /Limits computed from the period shown/);
      assert.deepEqual(problems, []);
    } finally {
      await quality.context.close();
    }
    const records = await line.query("SELECT kind, made_by, reason FROM quality_records ORDER BY record_id");
    assert.deepEqual(records, [
      { kind: "tolerance", made_by: "quality", reason: null },
      { kind: "baseline", made_by: "quality", reason: "calm morning" },
      { kind: "baseline-withdrawn", made_by: "quality", reason: null },
    ]);
    const said = await until("the audit log", async () => {
      const rows = await line.query("SELECT action FROM audit_log WHERE action LIKE 'quality.%' AND result = 'done'");
      return rows.length === 3 && rows;
    });
    assert.equal(said.length, 3);
  });

  describe("of which the devices' page", () => {
    before(async () => {
      const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
      const sample = messageOf(samplesOf(capturedLines().current)[0] ?? "");
      for (let index = 0; index < 3; index += 1)
        await device.send(
          JSON.stringify({
            ...sample,
            device_id: "ESP32_LL_01",
            sample_id: `c${index}`,
            timestamp: new Date().toISOString(),
          }),
        );
      await device.close();
      await until(
        "the device",
        async () => (await line.query("SELECT FROM devices WHERE device_id = 'ESP32_LL_01'"))[0],
        60_000,
      );
    });

    for (const [language, { locale, accounts, missing }] of Object.entries({
      fr: { locale: "fr-FR", accounts: /enregistrées\s*3/, missing: /Hauteur : ▲ absent/ },
      en: { locale: "en-GB", accounts: /stored\s*3/, missing: /Height : ▲ missing/ },
    }))
      for (const width of widthsIn(language))
        it(`tells how each stands at ${width} px in ${language}`, async () => {
          const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
          try {
            await page.goto(`${line.base}/dashboard/devices?lang=${language}`);
            const row = page.locator('[data-device="ESP32_LL_01"]');
            await row.waitFor({ timeout: 30_000 });
            await page.waitForFunction(
              (pattern) =>
                new RegExp(pattern).test(document.querySelector('[data-device="ESP32_LL_01"]')?.textContent ?? ""),
              accounts.source,
            );
            assert.match((await row.innerText()).replace(/\s+/g, " "), missing);
            assert.equal(await row.getAttribute("data-state"), "online");
            assert.equal(await page.locator('[data-action="issue"]').count(), 0, "tokens are an engineer's");
            assert.deepEqual(await misfits(page), []);
            assert.deepEqual(await barriers(page), []);
            assert.deepEqual(problems, []);
          } finally {
            await context.close();
          }
        });

    for (const width of widthsIn("fr"))
      it(`leads from a device to its guided step, at ${width} px`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale: "fr-FR" });
        try {
          await page.goto(`${line.base}/dashboard/devices?lang=fr`);
          await page.locator('[data-device="ESP32_LL_01"] [data-action="calibrate"]').click();
          await page
            .locator('.ff-calibrated[data-device="ESP32_LL_01"][aria-pressed="true"]')
            .waitFor({ timeout: 30_000 });
          assert.match(page.url(), /\/dashboard\/calibration\?lang=fr&device=ESP32_LL_01$/);
          const step = page.locator('.ff-step [data-step="tare"][aria-pressed="true"]');
          await step.waitFor({ timeout: 30_000 });
          await page.waitForFunction(() => {
            const box = document.querySelector(".ff-step")?.getBoundingClientRect();
            return box !== undefined && box.top >= 0 && box.top < innerHeight - 80;
          });
          assert.deepEqual(await misfits(page), []);
          // The device is this page's: it does not go along to others.
          await follow(page, "quality");
          await page.waitForURL(/\/dashboard\/quality\?lang=fr$/);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });

    it("gives an engineer a device's token once, and takes it back", async () => {
      const { context, page, problems } = await openPage(browser, line.base, {
        width: 768,
        height: 900,
        locale: "fr-FR",
        cookie: await line.signIn("engineer"),
      });
      try {
        await page.goto(`${line.base}/dashboard/devices?lang=fr`);
        const row = page.locator('[data-device="ESP32_LL_01"]');
        await row.locator('[data-action="issue"]').click();
        const token = await page.locator("[data-token] code").innerText();
        assert.match(token, /^[A-Za-z0-9_-]{43}$/);
        assert.deepEqual(await misfits(page), []);
        await page.locator('[data-action="close-token"]').click();
        await row.locator('[data-credential="unused"]').waitFor({ timeout: 30_000 });
        const device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/?token=${token}`);
        await row.locator('[data-credential="in-use"]').waitFor({ timeout: 30_000 });
        await row.locator('[data-action="revoke"]').click();
        assert.deepEqual(await misfits(page), []);
        await row.locator('[data-action="confirm"]').click();
        await row.locator('[data-credential="revoked"]').waitFor({ timeout: 30_000 });
        assert.match(await row.innerText(), /révoqué par engineer/);
        await device.close();
        await page.fill('[name="device"]', "tout-neuf");
        await page.locator('[data-action="add"]').click();
        await page.locator('[data-device="tout-neuf"][data-state="never"]').waitFor({ timeout: 30_000 });
        assert.deepEqual(problems, []);
        const rows = await until("the audit log", async () => {
          const said = await line.query(
            "SELECT action, target, record FROM audit_log WHERE action LIKE 'device.%' ORDER BY 1, 2",
          );
          return said.length === 3 && said;
        });
        assert.ok(!JSON.stringify(rows).includes(token));
        assert.deepEqual(
          rows.map(({ action, target }) => [action, target]),
          [
            ["device.issue", "/devices/ESP32_LL_01/credential"],
            ["device.issue", "/devices/tout-neuf/credential"],
            ["device.revoke", "/devices/ESP32_LL_01/credential"],
          ],
        );
      } finally {
        await context.close();
      }
    });
  });
});
