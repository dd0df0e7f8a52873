import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import chromium from "@sparticuz/chromium";
import type axe from "axe-core";
import { type Browser, type BrowserContext, chromium as launcher, type Page } from "playwright-core";

/** Our own short list: the package's own switches off web security, which is what we want to see working. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--font-render-hinting=none",
];

/** Opens headless Chromium: the one named by CHROME, else the one that comes from npm. */
export async function openBrowser(): Promise<Browser> {
  const named = process.env.CHROME;
  const executablePath = named && existsSync(named) ? named : await chromium.executablePath();
  return launcher.launch({ executablePath, headless: true, args: ARGUMENTS });
}

export interface Watched {
  context: BrowserContext;
  page: Page;
  /** Console errors, page errors, failed requests and requests beyond the origin, as they happen. */
  problems: string[];
}

/** A page that notes everything an operator's browser would complain about. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: {
    width: number;
    height: number;
    locale: string;
    colorScheme?: "light" | "dark";
    /** `name=value` of a sign-in (`Line.signIn`). */
    cookie?: string;
  },
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: options.width, height: options.height },
    locale: options.locale,
    colorScheme: options.colorScheme ?? "light",
  });
  const [name, value] = options.cookie?.split("=", 2) ?? [];
  if (name && value) await context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: "Strict" }]);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (/^(http|ws)s?:$/.test(url.protocol) && url.host !== new URL(origin).host)
      problems.push(`beyond the origin: ${request.url()}`);
  });
  return { context, page, problems };
}

/** Goes to another page as an operator does, by the header's links, unfolding them where the page is not in view. */
export async function follow(page: Page, name: string): Promise<void> {
  const link = page.locator(`.ff-pages [data-page="${name}"]`).last();
  if (!(await link.isVisible())) await page.locator('.ff-pages [data-action="pages"]').last().click();
  await link.click();
}

/** Elements of ours that are cut off, reach beyond the page or are too small for a gloved finger. */
export async function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > window.innerWidth)
      found.push(`page is ${document.documentElement.scrollWidth} px wide`);
    for (const element of Array.from(document.querySelectorAll("[class*='ff-']"))) {
      const box = element.getBoundingClientRect();
      const name = `${element.getAttribute("class")} "${element.textContent?.slice(0, 40)}"`;
      if (box.width > 0 && box.right > window.innerWidth + 1) found.push(`${name} reaches ${Math.round(box.right)} px`);
      if (!element.matches("button, a") || box.width === 0) continue;
      if (box.height < 48 || box.width < 48)
        found.push(`${name} is ${Math.round(box.width)} by ${Math.round(box.height)} px`);
      if (element.scrollWidth > element.clientWidth + 1) found.push(`${name} is cut off`);
    }
    return found;
  });
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * What axe-core finds against WCAG 2.1 A and AA, contrast included, a line per element. Vuetify's tooltips of the hidden
 * navigation are left out: they are empty, never shown, and not ours.
 */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations } = await run(
      { exclude: [[".v-tooltip"]] },
      { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] } },
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${id}: ${target.join(" ")}: ${any.map(({ message }) => message).join("; ")}`),
    );
  });
}
