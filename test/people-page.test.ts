import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { follow, openBrowser, openPage } from "./support/browser.ts";
import { Line, PERSON_PASSWORD, until } from "./support/line.ts";
import { widthsIn } from "./support/looks.ts";

/** What is cut off, or too small for a gloved finger. */
async function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > window.innerWidth)
      found.push(`page is ${document.documentElement.scrollWidth} px wide`);
    for (const element of Array.from(document.querySelectorAll("button, a, input, select"))) {
      const box = element.getBoundingClientRect();
      if (box.width === 0 || element.getAttribute("type") === "hidden") continue;
      if (box.right > window.innerWidth + 1)
        found.push(`${element.outerHTML.slice(0, 80)} reaches ${Math.round(box.right)} px`);
      if (box.height < 48 || box.width < 48)
        found.push(`${element.outerHTML.slice(0, 80)} is ${Math.round(box.width)} by ${Math.round(box.height)} px`);
    }
    return found;
  });
}

describe("people on their pages", function () {
  this.timeout(300_000);
  let line: Line;
  let short: Line;
  let browser: Browser;
  let resting: Promise<Error | Awaited<ReturnType<typeof rest>>>;

  before(async () => {
    line = await Line.create({ HOST: "0.0.0.0" });
    // Rests after 24 s, ends after 72 s: what takes an hour and a shift otherwise. Waited for beside the other tests.
    short = await Line.create({ HOST: "0.0.0.0", SESSION_IDLE_MINUTES: "0.4", SESSION_MAX_HOURS: "0.02" });
    [browser] = await Promise.all([openBrowser(), line.start(), short.start()]);
    resting = rest().catch((error: Error) => error);
  });
  after(async () => {
    await browser?.close();
    await line?.remove();
    await short?.remove();
  });

  /** An operator who does nothing: what the page says when the session rests, and where it is when that is over. */
  async function rest(): Promise<{ idle: string; address: string }> {
    const cookie = await short.signIn("operator");
    const { context, page } = await openPage(browser, short.base, { width: 768, height: 900, locale: "fr-FR", cookie });
    try {
      await page.goto(`${short.base}/dashboard/line?lang=fr`);
      await page.locator('.ff-person[data-role="operator"]').waitFor({ timeout: 30_000 });
      await page.locator('.ff-person[data-role="viewer"]').waitFor({ timeout: 90_000 });
      const idle = await page.locator(".ff-person").innerText();
      await page.locator("#password").waitFor({ timeout: 150_000 });
      return { idle, address: page.url() };
    } finally {
      await context.close();
    }
  }

  it("are warned at the start that nothing is encrypted", () => assert.match(line.output, /WITHOUT TLS/));

  for (const [language, { title, wrong }] of Object.entries({
    fr: { title: "Connexion", wrong: "Nom ou mot de passe incorrect." },
    en: { title: "Sign in", wrong: "Wrong name or password." },
  }))
    for (const width of widthsIn(language))
      it(`sign in at ${width} px in ${language}: led there, told what is wrong, and back to the page they wanted`, async () => {
        const locale = language === "fr" ? "fr-FR" : "en-GB";
        const { context, page, problems } = await openPage(browser, line.base, { width, height: 900, locale });
        try {
          await line.signIn("viewer");
          await page.goto(`${line.base}/dashboard/line?lang=${language}`);
          assert.match(await page.locator("h1").innerText(), new RegExp(title));
          assert.deepEqual(await misfits(page), []);
          await page.fill('[name="name"]', "viewer");
          await page.fill("#password", "not the password");
          await page.click("#go");
          assert.equal(await page.locator(".problem").innerText(), wrong);
          assert.equal(await page.locator('[name="name"]').inputValue(), "viewer");
          assert.deepEqual(await misfits(page), []);
          await page.fill("#password", PERSON_PASSWORD);
          await page.locator("#show").click();
          assert.equal(await page.locator("#password").getAttribute("type"), "text");
          await page.click("#go");
          await page.locator('.ff-person[data-signed-in="true"]').waitFor({ timeout: 30_000 });
          assert.match(page.url(), new RegExp(`/dashboard/line\\?lang=${language}$`));
          assert.match(await page.locator(".ff-person").innerText(), /viewer/);
          // The 401 of the wrong password is the browser's own line.
          assert.deepEqual(
            problems.filter((problem) => !problem.includes("401")),
            [],
          );
        } finally {
          await context.close();
        }
      });

  for (const width of widthsIn("fr"))
    it(`keeps the accounts and reads the log at ${width} px`, async () => {
      const cookie = await line.signIn("admin");
      const { context, page, problems } = await openPage(browser, line.base, {
        width,
        height: 900,
        locale: "fr-FR",
        cookie,
      });
      try {
        await page.goto(`${line.base}/dashboard/people?lang=fr`);
        await page.locator('[data-person="admin"]').waitFor({ timeout: 30_000 });
        const name = `Anne ${width}`;
        await page.fill('[name="person"]', name);
        await page.selectOption('[name="role"]', "quality");
        await page.fill('[name="new-password"]', PERSON_PASSWORD);
        await page.locator('[data-action="add"]').click();
        await page.locator(`[data-person="${name}"]`).waitFor();
        assert.deepEqual(await misfits(page), []);
        await follow(page, "audit");
        await page.fill('[name="target"]', name);
        await until("the change in the log", async () => {
          await page.locator('[data-action="search"]').click();
          return (await page.locator('[data-action="people.add"][data-result="done"]').count()) === 1;
        });
        await page.fill('[name="target"]', "nobody at all");
        await page.locator('[data-action="search"]').click();
        await until("no row", async () => (await page.locator(".ff-audit-rows li").count()) === 0);
        assert.deepEqual(
          (await misfits(page)).filter((one) => !one.startsWith("<summary")),
          [],
        );
        assert.deepEqual(problems, []);
      } finally {
        await context.close();
      }
    });

  it("show what was searched for last, though the answer to an older search comes after it", async () => {
    const cookie = await line.signIn("admin");
    const { context, page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR", cookie });
    try {
      const older = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      await page.route(/\/auth\/audit\?.*action=person/, async (route) => {
        const answer = await route.fetch();
        await older.promise;
        await route.fulfill({ response: answer });
        answered.resolve();
      });
      await page.goto(`${line.base}/dashboard/audit?lang=fr`);
      await page.locator(".ff-audit-rows li").first().waitFor({ timeout: 30_000 });
      await page.fill('[name="action"]', "person");
      await page.locator('[data-action="search"]').click();
      await page.fill('[name="action"]', "nothing.of.the.kind");
      await page.locator('[data-action="search"]').click();
      await page.getByText("Rien de tel dans le journal.").waitFor();
      older.resolve();
      await answered.promise;
      await page.waitForTimeout(500);
      assert.equal(await page.locator(".ff-audit-rows li").count(), 0);
    } finally {
      await context.close();
    }
  });

  it("rest after a while, look on, and are led to the sign-in when theirs is over", async () => {
    const rest = await resting;
    if (rest instanceof Error) throw rest;
    assert.match(rest.idle, /session en veille/);
    assert.match(rest.address, /\/auth\/sign-in\?lang=fr&next=/);
  });
});
