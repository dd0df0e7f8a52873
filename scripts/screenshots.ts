/**
 * Makes the screenshots of the README and docs from a running simulated line: `npm run screenshots`.
 * Starts a line of its own in a temporary data directory.
 */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { openBrowser, openPage } from "../test/support/browser.ts";
import { ADMIN_PASSWORD, Line } from "../test/support/line.ts";

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

/** Other pages than the line's, and what tells that they are there. */
const FURTHER_PAGES = [
  { name: "quarantine", ready: ".ff-quarantine-totals" },
  { name: "health", ready: "[data-job]" },
] as const;

const seconds = Number(process.argv[2] ?? 60);
const line = await Line.create({ FOIEFLOW_SIMULATE: "1" });
try {
  await line.start();
  console.log(`the line runs; letting it grade for ${seconds} s …`);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const browser = await openBrowser();
  for (const view of VIEWS) {
    const { context, page, problems } = await openPage(browser, line.base, {
      width: view.width,
      height: view.height,
      locale: view.language === "fr" ? "fr-FR" : "en-GB",
      colorScheme: view.scheme,
    });
    await page.goto(`${line.base}/dashboard/line?lang=${view.language}`);
    await page.waitForSelector(".ff-grade", { timeout: 30_000 });
    await page.waitForTimeout(5_000);
    await page.screenshot({ path: path.join(directory, `${view.name}.png`), fullPage: view.width < 1000 });
    for (const { name, ready } of FURTHER_PAGES) {
      if (view.width === 768) continue;
      await page.goto(`${line.base}/dashboard/${name}?lang=${view.language}`);
      await page.waitForSelector(ready, { timeout: 60_000 });
      await page.waitForTimeout(2_000);
      await page.screenshot({
        path: path.join(directory, view.name.replace("line", name).concat(".png")),
        fullPage: true,
      });
    }
    console.log(view.name, problems.length === 0 ? "clean" : problems);
    await context.close();
  }
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
