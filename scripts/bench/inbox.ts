import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { DurableInbox } from "../../nodes/inbox/durable-inbox.ts";
import { quantile } from "../statistics.ts";

const SECONDS = 3;

/** The durable inbox on this disk: so many devices that each send the next entry when the last one is acknowledged. */
export async function run(): Promise<{ name: string; unit: string; value: number }[]> {
  const figures: { name: string; unit: string; value: number }[] = [];
  for (const [size, label] of [
    [2048, "2 KB"],
    [20_480, "20 KB"],
  ] as const)
    for (const underWay of [16, 64]) figures.push(...(await measure(size, label, underWay)));
  return figures;
}

async function measure(size: number, label: string, underWay: number) {
  const directory = mkdtempSync(path.join(os.tmpdir(), "foieflow-bench-"));
  const inbox = await DurableInbox.open({ directory, limits: { minFreeBytes: 0 } });
  try {
    inbox.attach(({ entryId }) => inbox.settle(entryId, { kind: "stored" }));
    const envelope = {
      transport: "mqtt" as const,
      receivedAt: new Date().toISOString(),
      siteId: "site",
      defaultLineId: "line",
      provenDeviceId: "device",
      bytes: Buffer.alloc(size, "foie gras "),
    };
    const latenciesMs: number[] = [];
    const startedMs = performance.now();
    const device = async () => {
      while (performance.now() - startedMs < SECONDS * 1000) {
        const sentMs = performance.now();
        await inbox.append(envelope);
        latenciesMs.push(performance.now() - sentMs);
      }
    };
    await Promise.all(Array.from({ length: underWay }, device));
    const seconds = (performance.now() - startedMs) / 1000;
    const { store } = inbox.stats();
    const name = `${label}, ${underWay} under way:`;
    return [
      { name: `${name} entries`, unit: "1/s", value: latenciesMs.length / seconds },
      { name: `${name} per transaction`, unit: "", value: (store?.appends ?? 0) / Math.max(1, store?.commits ?? 0) },
      { name: `${name} commit p50`, unit: "ms", value: store?.commitP50Ms ?? 0 },
      { name: `${name} commit p99`, unit: "ms", value: store?.commitP99Ms ?? 0 },
      { name: `${name} append p50`, unit: "ms", value: quantile(latenciesMs, 0.5) },
      { name: `${name} append p99`, unit: "ms", value: quantile(latenciesMs, 0.99) },
    ];
  } finally {
    await inbox.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
