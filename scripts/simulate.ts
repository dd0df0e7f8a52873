/** The simulated line (`npm run simulate`): see `--help`. */
import { loadDotEnv } from "../distribution/environment.ts";
import { BeltStation, FRAME_MS } from "./simulator/belt.ts";
import { BeltSource } from "./simulator/belt-source.ts";
import { Device } from "./simulator/device.ts";
import { type FleetMember, fleet } from "./simulator/fleet.ts";
import type { Link } from "./simulator/link.ts";
import { readOptions, type SimulateOptions, USAGE, UsageError } from "./simulator/options.ts";
import { random } from "./simulator/random.ts";
import type { Source, Wire } from "./simulator/source.ts";
import { SqalSource } from "./simulator/sqal-source.ts";
import { Station } from "./simulator/station.ts";
import { TruthFile } from "./simulator/truth.ts";

// A transport's library is loaded only where the transport is used: the pseudo-terminal is an optional dependency.
async function linkOf(member: FleetMember, options: SimulateOptions): Promise<Link> {
  switch (member.transport) {
    case "websocket": {
      const { WebSocketLink } = await import("./simulator/websocket-link.ts");
      return new WebSocketLink(options.websocketUrl, options.token, options.ack);
    }
    case "mqtt": {
      const { MqttLink } = await import("./simulator/mqtt-link.ts");
      const { siteId, mqttUrl: url, token } = options;
      return new MqttLink({
        url,
        siteId,
        lineId: member.lineId,
        deviceId: member.identity.deviceId,
        ...(token && { token }),
      });
    }
    case "serial": {
      const { SerialLink } = await import("./simulator/serial-link.ts");
      return new SerialLink(member.serialLink, options.baud, options.ack);
    }
  }
}

/** The length of belt from one product's middle to the next where the gap is shortest, mm. */
const CLOSEST_MM = 430;

/** @param boot number of this start, for devices that count their samples */
function sourceOf(member: FleetMember, options: SimulateOptions, boot: number): Source {
  const { identity, transport } = member;
  const { seed, rate, faults, belt } = options;
  const rng = random(seed, `${identity.deviceId}/device`);
  if (options.generation !== "raw")
    return new SqalSource({ identity, station: new Station(seed, identity.deviceId), rate, faults, rng });
  const { heightErrorMm, tiltXDeg, tiltYDeg, speedMmS, trigger, cnh, scene } = belt;
  const station = new BeltStation(seed, identity.deviceId, {
    heightErrorMm,
    tiltXDeg,
    tiltYDeg,
    beltSpeedMmS: speedMmS,
    emptyFrames: { least: 1, meanMore: Math.max(0, 15 * (1 / rate - CLOSEST_MM / speedMmS)) },
    startMs: Date.now(),
  });
  const encoding = belt.encoding ?? (transport === "websocket" ? "json" : "cbor");
  return new BeltSource({ identity, station, encoding, boot, trigger, cnh, ...(scene && { scene }), faults, rng });
}

/** Text in lines; bytes, of which a terminal could make nothing, in base64. */
async function print(body: Wire): Promise<void> {
  const text = typeof body === "string" ? body : Buffer.from(body).toString("base64");
  if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}

/** Prints the messages of all devices, merged, with the clock of the model instead of the wall's. */
async function dryRun(options: SimulateOptions, truth: TruthFile | undefined): Promise<void> {
  process.stdout.on("error", () => process.exit(0)); // the reader (head …) has seen enough
  const sources = fleet(options).map((member) => sourceOf(member, options, 1));
  const start = Date.now();
  const products = sources.map(() => 0);
  const period = options.generation === "raw" ? FRAME_MS : 1000 / options.rate;
  const wanted = options.count ?? 10;
  for (let i = 0; products.some((count) => count < wanted); i++) {
    for (const [index, source] of sources.entries()) {
      if ((products[index] ?? 0) >= wanted) continue;
      const measured = source.measure(start + i * period);
      products[index] = (products[index] ?? 0) + measured.products;
      for (const line of measured.truths) truth?.append(line);
      await print(measured.body);
    }
  }
}

async function run(options: SimulateOptions, truth: TruthFile | undefined): Promise<void> {
  const devices: Device[] = [];
  const boot = Math.floor(Date.now() / 1000);
  for (const member of fleet(options)) {
    devices.push(
      new Device({
        source: sourceOf(member, options, boot),
        link: await linkOf(member, options),
        ...(options.count !== undefined && { count: options.count }),
        onTruth: (line) => truth?.append(line),
      }),
    );
  }
  const say = (text: string): void => {
    if (!options.quiet) console.log(`simulate: ${text}`);
  };
  const pace = options.generation === "raw" ? "15 samples/s" : `${options.rate} products/s`;
  say(`${devices.length} devices over ${options.transports.join(", ")}, ${pace} each, seed ${options.seed}`);
  const report = (): void => {
    const all = devices.map((device) => device.status);
    const sum = (key: "measured" | "sent" | "buffered" | "dropped" | "reconnections"): number =>
      all.reduce((total, status) => total + status[key], 0);
    const ready = all.filter((status) => status.ready).length;
    const lost = sum("dropped") > 0 ? `, ${sum("dropped")} dropped` : "";
    say(
      `${ready}/${all.length} ready, ${sum("measured")} measured, ${sum("sent")} sent, ${sum("buffered")} buffered${lost}, ${sum("reconnections")} reconnections`,
    );
  };
  for (const device of devices) device.start();
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
    // Started by `npm start`: does not outlive it, however that ended.
    const parent = Number(process.env.FOIEFLOW_PARENT);
    if (parent > 0) setInterval(() => process.ppid !== parent && resolve(), 1000);
    if (options.durationS !== undefined) setTimeout(resolve, 1000 * options.durationS);
    setInterval(report, 10_000);
    setInterval(() => devices.every((device) => device.done) && resolve(), 200);
  });
  await Promise.all(devices.map((device) => device.stop()));
  report();
}

try {
  loadDotEnv();
  const options = readOptions(process.argv.slice(2), process.env, Date.now() % 2 ** 32);
  if (!options) console.log(USAGE);
  else {
    const truth = options.truthPath === undefined ? undefined : new TruthFile(options.truthPath);
    await (options.dryRun ? dryRun : run)(options, truth);
  }
  process.exit(0);
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
