/**
 * Makes the screenshots of the README and docs from a running simulated line: `npm run screenshots`.
 * Starts a line of its own in a temporary data directory.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { openBrowser, openPage } from "../test/support/browser.ts";
import { ADMIN_PASSWORD, Line } from "../test/support/line.ts";
import { shippedPages } from "../test/support/pages.ts";

const directory = path.resolve(import.meta.dirname, "../docs/screenshots");
mkdirSync(directory, { recursive: true });

const VIEWS = [
  { name: "line-fr-1440", width: 1440, height: 900, language: "fr", scheme: "light" },
  { name: "line-en-1440-dark", width: 1440, height: 900, language: "en", scheme: "dark" },
  { name: "line-fr-768", width: 768, height: 1024, language: "fr", scheme: "light" },
  { name: "line-en-768", width: 768, height: 1024, language: "en", scheme: "light" },
  { name: "line-fr-390", width: 390, height: 844, language: "fr", scheme: "light" },
  { name: "line-en-390", width: 390, height: 844, language: "en", scheme: "light" },
] as const;

/** The other pages, wide in French and narrow in English. */
const FURTHER_PAGES = shippedPages().filter((page) => page !== "line");
const FURTHER_VIEWS = VIEWS.filter(({ name }) => name === "line-fr-1440" || name === "line-en-390");

const seconds = Number(process.argv[2] ?? 60);
const line = await Line.create({ FOIEFLOW_SIMULATE: "1" });
try {
  console.log("writing two weeks of history …");
  execFileSync(
    process.execPath,
    [path.join(import.meta.dirname, "seed-history.ts"), "--samples", "30000", "--days", "14"],
    {
      env: line.env,
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  await line.start();
  console.log(`the line runs; letting it grade for ${seconds} s …`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const cookie = await line.signIn("admin");
  const browser = await openBrowser();
  const take = async (
    view: (typeof VIEWS)[number],
    page: string,
    settleMs: number,
    options: { cookie?: string } = {},
  ) => {
    const {
      context,
      page: tab,
      problems,
    } = await openPage(browser, line.base, {
      width: view.width,
      height: view.height,
      locale: view.language === "fr" ? "fr-FR" : "en-GB",
      colorScheme: view.scheme,
      ...options,
    });
    await tab.goto(`${line.base}/dashboard/${page}?lang=${view.language}`);
    await tab
      .locator(page === "line" ? ".ff-grade[data-grade]" : ".ff-card:not(.ff-header)")
      .first()
      .waitFor({ timeout: 60_000 });
    await tab.waitForTimeout(settleMs);
    const name = view.name.replace("line", page);
    await tab.screenshot({ path: path.join(directory, `${name}.png`), fullPage: view.width < 1000 || page !== "line" });
    console.log(name, problems.length === 0 ? "clean" : problems);
    await context.close();
  };
  for (const view of VIEWS) await take(view, "line", 5_000);
  for (const view of FURTHER_VIEWS) for (const page of FURTHER_PAGES) await take(view, page, 4_000, { cookie });
  // The editor asks for its settings before the sign-in and is told 401: that complaint is Node-RED's own.
  for (const language of ["fr", "en-US"]) {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: 1440,
      height: 900,
      locale: language,
    });
    await page.goto(line.base);
    await page.fill("#node-dialog-login-username", "admin");
    await page.fill("#node-dialog-login-password", ADMIN_PASSWORD);
    await page.click("#node-dialog-login-submit");
    await page.waitForSelector("#red-ui-workspace-chart .red-ui-flow-node", { timeout: 60_000 });
    await page.addStyleTag({ content: ".red-ui-help-tips { display: none !important }" });
    await page.waitForTimeout(3_000);
    await page.screenshot({ path: path.join(directory, `editor-${language}.png`) });
    console.log(`editor-${language}`, problems.length === 0 ? "clean" : problems);
    await context.close();
  }
  await browser.close();
} finally {
  await line.remove();
}
process.exit(0);
