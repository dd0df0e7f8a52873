import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { follow, misfits, openBrowser, openPage } from "./support/browser.ts";
import { capturedLines, messageOf, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, PERSON_PASSWORD, until } from "./support/line.ts";
import { widthsIn } from "./support/looks.ts";

const DEVICE = "belt-watcher";
const HEIGHT_MM = 100;

const template = messageOf(samplesOf(capturedLines().current)[0] ?? "");

/** A message in SQAL's dialect of a device over an empty belt; `thing` lies on it where asked for. */
function beltMessage(seq: number, thing = false): string {
  const matrix = (of: (row: number, column: number) => number) =>
    Array.from({ length: 8 }, (_, row) => Array.from({ length: 8 }, (__, column) => of(row, column)));
  const isThing = (row: number, column: number) => thing && row >= 3 && row <= 5 && column >= 2 && column <= 4;
  const tof = template.vl53l8ch as Record<string, unknown>;
  return JSON.stringify({
    ...template,
    device_id: DEVICE,
    location: "line-1",
    meta: { ...(template.meta as object), device_id: DEVICE },
    sample_id: `belt-${seq}`,
    timestamp: new Date().toISOString(),
    vl53l8ch: {
      ...tof,
      distance_matrix: matrix(
        (row, column) => HEIGHT_MM + ((seq + row + column) % 3) - 1 - (isThing(row, column) ? 40 : 0),
      ),
      status_matrix: matrix(() => 0),
    },
  });
}

describe("the calibration page", function () {
  this.timeout(180_000);
  let line: Line;
  let browser: Browser;
  let device: WebSocketDevice;
  let sending: NodeJS.Timeout;
  let thing = false;
  let seq = 0;
  let cookie = "";

  before(async () => {
    line = await Line.create();
    [browser] = await Promise.all([openBrowser(), line.start()]);
    cookie = await line.signIn("quality");
    device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    sending = setInterval(() => void device.send(beltMessage(seq++, thing)).catch(() => undefined), 50);
  });
  after(async () => {
    clearInterval(sending);
    await device?.close();
    await browser?.close();
    await line?.remove();
  });

  for (const [language, { locale, missing }] of Object.entries({
    fr: { locale: "fr-FR", missing: "Manquant" },
    en: { locale: "en-GB", missing: "Missing" },
  })) {
    for (const width of widthsIn(language)) {
      it(`shows the device as not calibrated at ${width} px in ${language}, with nothing cut off`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/calibration?lang=${language}`);
          const row = page.locator(`[data-device="${DEVICE}"]`);
          await row.locator('[data-part="tof"][data-state="missing"]').waitFor({ timeout: 20_000 });
          assert.ok((await row.innerText()).includes(missing));
          await page.locator(".ff-notice").first().waitFor();
          await row.click();
          await page.locator('[data-action="start"]').waitFor();
          await page.locator(".ff-header-live").waitFor();
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

  it("lets who has not signed in look, and says so when they want to do more", async () => {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 390,
      height: 844,
      locale: "fr-FR",
    });
    try {
      await page.goto(`${line.base}/dashboard/calibration?lang=fr`);
      await page.locator(`[data-device="${DEVICE}"]`).click();
      await page.locator('[data-action="start"]').click();
      const refusal = page.locator('.ff-refusal[data-needed="quality"]');
      await refusal.waitFor();
      assert.equal(await page.locator(".ff-progress").count(), 0);
      assert.deepEqual(await misfits(page), []);
      assert.deepEqual(problems, []);
      await refusal.locator('[data-action="sign-in"]').click();
      await page.locator("#password").waitFor();
      await page.fill('[name="name"]', "quality");
      await page.fill('[name="password"]', PERSON_PASSWORD);
      await page.locator('button[type="submit"]').click();
      await page.locator('.ff-person[data-role="quality"]').waitFor({ timeout: 20_000 });
      assert.match(page.url(), /\/dashboard\/calibration\?lang=fr$/);
      await page.locator('[data-action="sign-out"]').click();
      await page.locator("#password").waitFor();
    } finally {
      await context.close();
    }
  });

  it("does not let a tare pass with something on the belt", async () => {
    thing = true;
    const { context, page } = await openPage(browser, line.base, { width: 768, height: 900, locale: "fr-FR", cookie });
    try {
      await page.goto(`${line.base}/dashboard/calibration?lang=fr`);
      await page.locator(`[data-device="${DEVICE}"]`).click();
      await page.locator('[data-action="start"]').click();
      await page.locator('[data-action="again"]').waitFor({ timeout: 30_000 });
      const finding = page.locator('[data-code="belt-not-empty"]');
      assert.match(await finding.innerText(), /9 zones, 4[01] mm/);
      assert.equal(await page.locator('[data-action="accept"]').count(), 0);
      await page.locator('[data-action="cancel"]').click();
    } finally {
      thing = false;
      await context.close();
    }
  });

  it("makes a tare of the empty belt that says who and why, and is in force at once and after a restart", async () => {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 390,
      height: 844,
      locale: "fr-FR",
      cookie,
    });
    try {
      await page.goto(`${line.base}/dashboard/calibration?lang=fr`);
      const row = page.locator(`[data-device="${DEVICE}"]`);
      await row.click();
      await page.locator('[data-action="start"]').click();
      await page.locator(".ff-progress").waitFor();
      const accept = page.locator('[data-action="accept"]');
      await accept.waitFor({ timeout: 30_000 });
      assert.match(await page.locator('[data-figure="heightMm"]').innerText(), /100,0 mm/);
      assert.match(await page.locator('[data-code="view-too-small"]').innerText(), /83 mm/);
      assert.deepEqual(await misfits(page), []);
      assert.ok(await accept.isDisabled(), "nobody has said why");
      assert.match(await page.locator(".ff-form-who").innerText(), /quality/);
      await page.getByRole("button", { name: "Capteur déplacé" }).click();
      await accept.click();
      await page.locator(".ff-step-saved").waitFor({ timeout: 10_000 });
      await row.locator('[data-part="tof"][data-state="valid"]').waitFor({ timeout: 10_000 });
      assert.match(await row.innerText(), /par quality/);
      assert.deepEqual(problems, []);

      const [stored] = await line.query(
        "SELECT version, made_by, reason, record->'tof' AS tof, valid_until - valid_from > interval '7 days' AS week FROM calibrations WHERE device_id = $1",
        [DEVICE],
      );
      assert.ok(stored);
      const { tof, ...rest } = stored as { tof: { sensorHeightMm: number; beltDistanceMm: number[]; frames: number } };
      assert.deepEqual(rest, { version: 1, made_by: "quality", reason: "Capteur déplacé", week: true });
      assert.ok(Math.abs(tof.sensorHeightMm - HEIGHT_MM) < 0.2, String(tof.sensorHeightMm));
      assert.deepEqual([tof.beltDistanceMm.length, tof.frames], [64, 60]);
    } finally {
      await context.close();
    }
    assert.equal(await line.stop(), 0, line.output);
    await line.start();
    device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    const again = await openPage(browser, line.base, { width: 1440, height: 900, locale: "en-GB" });
    try {
      await again.page.goto(`${line.base}/dashboard/calibration?lang=en`);
      await again.page
        .locator(`[data-device="${DEVICE}"] [data-part="tof"][data-state="valid"]`)
        .waitFor({ timeout: 20_000 });
    } finally {
      await again.context.close();
    }
  });

  it("is two presses from the line's page, there and back, and keeps the language", async () => {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 768,
      height: 900,
      locale: "fr-FR",
    });
    try {
      await page.goto(`${line.base}/dashboard/line?lang=en`);
      await follow(page, "calibration");
      await page.locator(`[data-device="${DEVICE}"]`).waitFor({ timeout: 20_000 });
      assert.match(page.url(), /\/dashboard\/calibration\?lang=en$/);
      assert.equal(await page.locator('.ff-pages [aria-current="page"]').last().innerText(), "Calibration");
      await follow(page, "line");
      await page.locator(".ff-grade").first().waitFor({ timeout: 20_000 });
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  });

  it("has written one record in all this, and let every sample through to the database meanwhile", async () => {
    assert.equal(Number((await line.query("SELECT count(*) AS n FROM calibrations"))[0]?.n), 1);
    clearInterval(sending);
    await until("all that was sent in the database", async () => {
      const accounts = await (await fetch(`${line.base}/api/line/accounts`)).json();
      return accounts.waiting === 0 && accounts.quarantined === 0 && accounts.stored > 20;
    });
    const [row] = await line.query("SELECT count(*) AS n FROM vl53l8ch_raw WHERE device_id = $1", [DEVICE]);
    assert.ok(Number(row?.n) > 100, `${row?.n} samples stored`);
  });
});
