/** The process that plays devices: it gets its plan as its argument and its orders over the channel of `fork`. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Transport } from "../../nodes/sample/units.ts";
import { quantile } from "../statistics.ts";
import { LoadDevice } from "./device.ts";
import type { LoadLink } from "./link.ts";
import { MqttLoadLink } from "./mqtt-link.ts";
import type { FromLoad, Latency, Plan, PlannedDevice, Progress, ToLoad } from "./plan.ts";
import { SampleMaker } from "./samples.ts";
import { SerialLoadLink } from "./serial-link.ts";
import { WebSocketLoadLink } from "./websocket-link.ts";

const plan: Plan = JSON.parse(process.argv[2] ?? "{}");
const journal = plan.journal === undefined ? undefined : openSync(plan.journal, "a");
const latenciesMs = new Map<string, number[]>([["", []]]);
let mark = "";
const byTransport: Partial<Record<Transport, number>> = {};
let startedMs = 0;
let lastMs = 0;

const tell = (message: FromLoad) => process.send?.(message);
const devices = plan.devices.map(deviceOf);

function linkOf({ transport, device }: PlannedDevice): LoadLink {
  if (transport === "mqtt") return new MqttLoadLink(plan.mqttUrl, device);
  if (transport === "websocket") return new WebSocketLoadLink(plan.websocketUrl, device);
  if (plan.serialLink === undefined) throw new Error("a serial device needs a serialLink");
  return new SerialLoadLink(plan.serialLink, device);
}

function deviceOf(planned: PlannedDevice, index: number): LoadDevice {
  const { transport, kind, device, window, ratePerS, count } = planned;
  return new LoadDevice({
    maker: new SampleMaker(kind, device, plan.boot, plan.seed + index),
    link: linkOf(planned),
    window,
    ratePerS,
    count,
    onAcknowledged: ({ sampleId }, latencyMs) => {
      if (journal !== undefined) writeSync(journal, `${device} ${sampleId}\n`);
      lastMs = performance.now();
      latenciesMs.get(mark)?.push(latencyMs);
      byTransport[transport] = (byTransport[transport] ?? 0) + 1;
    },
  });
}

function progress(): Progress {
  const sum = (of: (device: LoadDevice) => number) => devices.reduce((total, device) => total + of(device), 0);
  return {
    made: sum((device) => device.made),
    acknowledged: sum((device) => device.acknowledged),
    resent: sum((device) => device.resent),
    byTransport,
  };
}

function latency(ofMs: readonly number[]): Latency {
  if (ofMs.length === 0) return { p50: 0, p99: 0, max: 0 };
  return { p50: quantile(ofMs, 0.5), p99: quantile(ofMs, 0.99), max: quantile(ofMs, 1) };
}

async function finish(): Promise<void> {
  await Promise.all(devices.map((device) => device.close()));
  if (journal !== undefined) closeSync(journal);
  const latencies = Object.fromEntries([...latenciesMs].map(([name, ofMs]) => [name, latency(ofMs)]));
  const all = latency([...latenciesMs.values()].flat());
  tell({ type: "finished", seconds: (lastMs - startedMs) / 1000, latency: all, latencies, ...progress() });
  process.disconnect();
}

process.on("message", (order: ToLoad) => {
  if (order === "stop") {
    for (const device of devices) device.stop();
    return;
  }
  if (order !== "start" && "burst" in order) {
    for (const device of devices) device.burst(order.burst);
    return;
  }
  if (order !== "start") {
    mark = order.mark;
    if (!latenciesMs.has(mark)) latenciesMs.set(mark, []);
    return;
  }
  startedMs = performance.now();
  for (const device of devices) device.start();
  const timer = setInterval(() => {
    tell({ type: "progress", ...progress() });
    if (!devices.every((device) => device.finished)) return;
    clearInterval(timer);
    void finish();
  }, 50);
});
process.on("disconnect", () => process.exit(0));
tell({ type: "prepared" });
