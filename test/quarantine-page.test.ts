import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { follow, misfits, openBrowser, openPage } from "./support/browser.ts";
import { capturedLines, messageOf, samplesOf, WebSocketDevice } from "./support/devices.ts";
import { Line, until } from "./support/line.ts";
import { widthsIn } from "./support/looks.ts";

const WORDS = {
  fr: { locale: "fr-FR", reason: "Message illisible", balanced: "Les comptes sont justes" },
  en: { locale: "en-GB", reason: "Unreadable message", balanced: "The accounts balance" },
} as const;
const BAD = 5;

describe("the pages for the quarantine and the line's health", function () {
  this.timeout(240_000);
  let line: Line;
  let browser: Browser;
  let device: WebSocketDevice;

  before(async () => {
    line = await Line.create();
    [browser] = await Promise.all([openBrowser(), line.start()]);
    device = await WebSocketDevice.connect(`ws://127.0.0.1:${line.port}/ws/sensors/`);
    const sample = messageOf(samplesOf(capturedLines().current)[0] ?? "");
    for (let index = 0; index < BAD; index += 1) await device.send(`{"sample": ${index}, broken`);
    await device.send(JSON.stringify({ ...sample, sample_id: "sound", timestamp: new Date().toISOString() }));
    await until(
      "everything to be settled",
      async () => {
        const accounts = await (await fetch(`${line.base}/api/line/accounts`)).json();
        return accounts.stored === 1 && accounts.quarantined === BAD;
      },
      60_000,
    );
  });
  after(async () => {
    await device?.close();
    await browser?.close();
    await line?.remove();
  });

  for (const [language, { locale, reason, balanced }] of Object.entries(WORDS)) {
    for (const width of widthsIn(language)) {
      it(`shows what is in quarantine and why, at ${width} px in ${language}, with nothing cut off`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/quarantine?lang=${language}`);
          const row = page.locator('[data-reason="not-json"]');
          await row.waitFor({ timeout: 30_000 });
          assert.match(await row.innerText(), new RegExp(`${BAD}[\\s\\S]*${reason}`));
          await row.click();
          const record = page.locator("[data-record]").first();
          await record.waitFor({ timeout: 30_000 });
          assert.deepEqual(await misfits(page), []);
          await record.click();
          const bytes = page.locator(".ff-bytes");
          await bytes.waitFor({ timeout: 30_000 });
          assert.match(await bytes.innerText(), /"sample": \d, broken/);
          assert.deepEqual(await misfits(page), []);

          // Nobody is signed in here: the page says so and nothing happens.
          await page.locator('[data-action="retry"]').click();
          await page.locator('.ff-refusal[data-needed="engineer"]').waitFor({ timeout: 30_000 });
          await page.locator('[data-action="discard"]').click();
          assert.ok(await page.locator('[data-action="confirm"]').isDisabled(), "not without a note");
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });

      it(`shows the line's health at ${width} px in ${language}, what is wrong first, with nothing cut off`, async () => {
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await page.goto(`${line.base}/dashboard/health?lang=${language}`);
          await page.locator('[data-trouble="quarantine-open"]').waitFor({ timeout: 60_000 });
          const accounts = page.locator('[data-card="accounts"]');
          assert.ok((await accounts.innerText()).includes(balanced));
          const total = page.locator('[data-account="all"]');
          const figure = async (column: string) =>
            (await total.locator(`[data-column="${column}"]`).textContent())?.trim();
          assert.deepEqual(
            [await figure("received"), await figure("stored"), await figure("quarantined")],
            [String(BAD + 1), "1", String(BAD)],
          );
          await page.locator("[data-job]").first().waitFor({ timeout: 60_000 });
          assert.equal(await page.locator('[data-status="failed"]').count(), 0);
          assert.deepEqual(await misfits(page), []);
          assert.deepEqual(problems, []);
        } finally {
          await context.close();
        }
      });
    }
  }

  it("refuses the export to whoever may only look, with a code", async () => {
    const answer = await fetch(`${line.base}/api/quarantine/export?reason=not-json`);
    assert.deepEqual([answer.status, (await answer.json()).error], [403, "not-allowed"]);
    assert.equal(Number((await line.query("SELECT count(*) AS n FROM quarantine WHERE state = 'open'"))[0]?.n), BAD);
  });

  it("lets an engineer send one in again, close one with a note, and export the rest", async () => {
    const cookie = await line.signIn("engineer");
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 768,
      height: 900,
      locale: "fr-FR",
      cookie,
    });
    const counts = async () =>
      Object.fromEntries(
        (await line.query("SELECT state, count(*)::int AS n FROM quarantine GROUP BY state")).map(({ state, n }) => [
          state,
          n,
        ]),
      );
    try {
      await page.goto(`${line.base}/dashboard/quarantine?lang=fr`);
      await page.locator('[data-reason="not-json"]').click();
      await page.locator("[data-record]").first().click();
      await page.locator('[data-action="retry"]').click();
      await page.locator('[data-notice][data-kind="good"]').waitFor({ timeout: 30_000 });
      // It is as bad as before, so it comes back as a new record.
      await until("the one sent in again to be back", async () => (await counts()).open === BAD, 30_000);
      assert.deepEqual(await counts(), { open: BAD, retried: 1 });

      await page.locator('[data-action="back"]').click();
      await page.locator("[data-record]").first().click();
      await page.locator('[data-action="discard"]').click();
      await page.locator('input[name="note"]').fill("essai au banc");
      await page.locator('[data-action="confirm"]').click();
      await page.locator('.ff-todo[data-state="closed"]').waitFor({ timeout: 30_000 });
      const [closed] = await line.query("SELECT note, changed_by FROM quarantine WHERE state = 'closed'");
      assert.deepEqual(closed, { note: "essai au banc", changed_by: "engineer" });

      await page.locator('[data-action="back"]').click();
      const [file] = await Promise.all([
        page.waitForEvent("download", { timeout: 30_000 }),
        page.locator('[data-action="export"]').click(),
      ]);
      const lines = (await readFile(await file.path(), "utf8")).trim().split("\n");
      assert.equal(lines.length, BAD - 1);
      assert.match(Buffer.from(JSON.parse(lines[0] ?? "").bytes, "base64").toString(), /^{"sample": \d, broken$/);
      assert.deepEqual(problems, []);
    } finally {
      await context.close();
    }
  });

  it("is one press from the line's page, and greys its values when the server was stopped", async () => {
    const { context, page } = await openPage(browser, line.base, { width: 768, height: 900, locale: "fr-FR" });
    try {
      await page.goto(`${line.base}/dashboard/line?lang=fr`);
      await follow(page, "health");
      await page.locator('[data-card="accounts"]').waitFor({ timeout: 60_000 });
      assert.equal(await page.locator('[data-card="accounts"].ff-stale').count(), 0);
      assert.equal(await line.stop(), 0);
      await page.locator('[data-card="accounts"].ff-stale').waitFor({ timeout: 60_000 });
    } finally {
      await context.close();
    }
  });
});
