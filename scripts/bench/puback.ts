import { Line, until } from "../../test/support/line.ts";
import type { Plan } from "../load/plan.ts";
import { type Finished, LoadProcess } from "../load/process.ts";
import { OutsideBroker } from "./outside-broker.ts";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

const CONNECTIONS = 20;
const PACED_PER_S = Number(process.env.BENCH_RATE ?? 1000);
const SECONDS = 8;

/**
 * How long a device waits for the PUBACK of a raw sample (3 KB), counted from the moment at which it should have been
 * sent, while the flows work on what came before; and how many are acknowledged per second when devices do not pause.
 * With the embedded broker a PUBACK says that the sample is on the disk. With a broker of one's own (`MQTT_URL`) it is
 * that broker's word; what the line has taken from it, on the disk, is the other figure.
 */
export async function run(): Promise<Figure[]> {
  const figures: Figure[] = [];
  figures.push(...(await measure("embedded broker", undefined)));
  const broker = await OutsideBroker.start();
  try {
    figures.push(...(await measure(broker.name, broker.url)));
  } finally {
    broker.stop();
  }
  return figures;
}

async function measure(name: string, mqttUrl: string | undefined): Promise<Figure[]> {
  const line = await Line.create(mqttUrl === undefined ? {} : { MQTT_URL: mqttUrl });
  try {
    await line.start();
    const url = mqttUrl ?? `mqtt://127.0.0.1:${line.mqttPort}`;
    await publish(line, url, 1, { count: 400, window: 4 });
    const paced = await publish(line, url, 2, { count: PACED_PER_S * SECONDS, window: 64, ratePerS: PACED_PER_S });
    const before = await received(line);
    const free = await publish(line, url, 3, { count: 4000, window: 16 });
    const taken = (await received(line)) - before;
    const rate = (figures: Finished) => figures.acknowledged / figures.seconds;
    return [
      { name: `${name}: PUBACK p50 at ${PACED_PER_S}/s`, unit: "ms", value: paced.latency.p50 },
      { name: `${name}: PUBACK p99 at ${PACED_PER_S}/s`, unit: "ms", value: paced.latency.p99 },
      { name: `${name}: acknowledged when paced so`, unit: "samples/s", value: rate(paced) },
      { name: `${name}: acknowledged when not paced`, unit: "samples/s", value: rate(free) },
      { name: `${name}: of those in the inbox when the last was acknowledged`, unit: "samples", value: taken },
    ];
  } finally {
    await line.remove();
  }
}

async function publish(
  line: Line,
  mqttUrl: string,
  boot: number,
  all: { count: number; window: number; ratePerS?: number },
): Promise<Finished> {
  const plan: Plan = {
    boot,
    seed: 1,
    mqttUrl,
    websocketUrl: "",
    devices: Array.from({ length: CONNECTIONS }, (_, n) => ({
      transport: "mqtt",
      kind: "raw",
      device: `ESP32_RAW_${n}`,
      window: all.window,
      count: all.count / CONNECTIONS,
      ...(all.ratePerS !== undefined && { ratePerS: all.ratePerS / CONNECTIONS }),
    })),
  };
  const load = await LoadProcess.prepare(plan);
  load.start();
  const finished = await load.finished;
  // The next measurement begins with an empty line.
  if (boot === 1) await until("the line to be idle", async () => (await waiting(line)) === 0, 120_000);
  return finished;
}

async function accounts(line: Line): Promise<{ received: number; waiting: number }> {
  return (await fetch(`${line.base}/api/line/accounts`)).json();
}

const received = async (line: Line): Promise<number> => (await accounts(line)).received;
const waiting = async (line: Line): Promise<number> => (await accounts(line)).waiting;
