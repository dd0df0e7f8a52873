import { execFileSync } from "node:child_process";
import path from "node:path";
import type { Browser } from "playwright-core";
import { openBrowser, openPage } from "../../test/support/browser.ts";
import { Line } from "../../test/support/line.ts";
import { shippedPages } from "../../test/support/pages.ts";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

/** Writing a million takes ten minutes. */
const SAMPLES = Number(process.env.BENCH_SAMPLES ?? 1_000_000);
const DAYS = 90;
const ROUNDS = 2;
/** What shows that a page has what it is for; of the others, its first card. */
const CONTENT: Record<string, string> = {
  line: ".ff-grade[data-grade]",
  lots: ".ff-lots-row",
  quality: ".ff-chart-point",
  devices: ".ff-board-device",
  health: "[data-job]",
  people: "[data-person]",
};

/**
 * How soon each page shows itself, and what it is for, with many samples in the embedded database: the slowest of a few
 * rounds, each in a browser that has not been there before, while the simulated line is graded.
 */
export async function run(): Promise<Figure[]> {
  const line = await Line.create({ FOIEFLOW_SIMULATE: "1" });
  const browser = await openBrowser();
  try {
    const seed = path.join(import.meta.dirname, "../seed-history.ts");
    execFileSync(process.execPath, [seed, "--samples", String(SAMPLES), "--days", String(DAYS)], {
      env: line.env,
      stdio: ["ignore", "ignore", "inherit"],
    });
    await line.start();
    const cookie = await line.signIn("admin");
    const figures: Figure[] = [];
    for (const page of shippedPages()) {
      const rounds: { paintMs: number; contentMs: number }[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await visit(browser, line, page, cookie));
      figures.push(
        { name: `${page}: first paint`, unit: "ms", value: Math.max(...rounds.map(({ paintMs }) => paintMs)) },
        { name: `${page}: content`, unit: "ms", value: Math.max(...rounds.map(({ contentMs }) => contentMs)) },
      );
    }
    return figures;
  } finally {
    await browser.close();
    await line.remove();
  }
}

async function visit(
  browser: Browser,
  line: Line,
  name: string,
  cookie: string,
): Promise<{ paintMs: number; contentMs: number }> {
  const { context, page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR", cookie });
  try {
    const startMs = performance.now();
    await page.goto(`${line.base}/dashboard/${name}?lang=fr`, { waitUntil: "commit" });
    await page
      .locator(CONTENT[name] ?? ".ff-card:not(.ff-header)")
      .first()
      .waitFor({ timeout: 60_000 });
    const contentMs = performance.now() - startMs;
    const paintMs = await page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
    );
    return { paintMs, contentMs };
  } finally {
    await context.close();
  }
}
