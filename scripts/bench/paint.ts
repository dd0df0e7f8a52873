import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Page } from "playwright-core";
import { openBrowser, openPage } from "../../test/support/browser.ts";
import { Line, until } from "../../test/support/line.ts";
import type { Plan } from "../load/plan.ts";
import { LoadProcess } from "../load/process.ts";
import { quantile } from "../statistics.ts";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

const DEVICES = 16;
const RATE_PER_S = Number(process.env.BENCH_RATE ?? 15);
const WATCHERS = 49;
const WARM_S = 15;
const SECONDS = 60;

/**
 * How old the newest grade is when a browser paints it: from the moment the device measured (one clock: everything runs
 * on this machine) to the animation frame that shows it. One Chromium beside 49 clients that read everything, while 16
 * devices send graded products 15 times a second each; and the same with one device alone, for comparison.
 */
export async function run(): Promise<Figure[]> {
  // The line that the devices' hello names.
  const line = await Line.create({ LINE: "Ligne-A" });
  const browser = await openBrowser();
  try {
    await line.start();
    const watchers = spawn(
      process.execPath,
      [path.join(import.meta.dirname, "../load/watchers.ts"), line.base, String(WATCHERS)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(watchers.stdout, "data");
    const { page } = await openPage(browser, line.base, { width: 1440, height: 900, locale: "fr-FR" });
    await page.goto(`${line.base}/dashboard/line?lang=fr`);
    await page.locator(".ff-grade").waitFor();
    const figures: Figure[] = [];
    for (const devices of [1, DEVICES]) {
      const { agesMs, perS } = await measure(line, page, devices);
      const who = `${devices} ${devices === 1 ? "device" : "devices"} at ${RATE_PER_S} Hz`;
      figures.push(
        { name: `${who}: age of the grade when painted, p50`, unit: "ms", value: quantile(agesMs, 0.5) },
        { name: `${who}: p99`, unit: "ms", value: quantile(agesMs, 0.99) },
        { name: `${who}: grades painted`, unit: "per s", value: agesMs.length / SECONDS },
        { name: `${who}: samples acknowledged`, unit: "per s", value: perS },
      );
    }
    watchers.kill();
    return figures;
  } finally {
    await browser.close();
    await line.remove();
  }
}

async function measure(line: Line, page: Page, devices: number): Promise<{ agesMs: number[]; perS: number }> {
  const plan: Plan = {
    boot: devices,
    seed: devices,
    websocketUrl: `ws://127.0.0.1:${line.port}/ws/sensors/`,
    mqttUrl: `mqtt://127.0.0.1:${line.mqttPort}`,
    devices: Array.from({ length: devices }, (_, n) => ({
      transport: "websocket",
      kind: "sqal",
      device: `ESP32_MG_${n}`,
      window: 64,
      ratePerS: RATE_PER_S,
    })),
  };
  const load = await LoadProcess.prepare(plan);
  try {
    load.start();
    // The first ones warm everything up.
    await until("samples", () => load.progress.acknowledged >= WARM_S * RATE_PER_S * devices, 120_000);
    const before = load.progress.acknowledged;
    const agesMs = await page.evaluate((forMs) => {
      const card = document.querySelector(".ff-grade");
      if (!card) throw new Error("no grade on the page");
      const ages: number[] = [];
      const observer = new MutationObserver(() => {
        const measuredMs = Number(card.getAttribute("data-measured"));
        requestAnimationFrame(() => ages.push(Date.now() - measuredMs));
      });
      observer.observe(card, { attributes: true, attributeFilter: ["data-measured"] });
      return new Promise<number[]>((resolve) => setTimeout(() => resolve(ages), forMs));
    }, SECONDS * 1000);
    return { agesMs, perS: (load.progress.acknowledged - before) / SECONDS };
  } finally {
    load.kill();
  }
}
