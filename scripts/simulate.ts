/** The simulated line (`npm run simulate`): see `--help`. */
import { loadDotEnv } from "../distribution/environment.ts";
import { Device, produce } from "./simulator/device.ts";
import { type FleetMember, fleet } from "./simulator/fleet.ts";
import type { Link } from "./simulator/link.ts";
import { readOptions, type SimulateOptions, USAGE, UsageError } from "./simulator/options.ts";
import { random } from "./simulator/random.ts";
import { Station } from "./simulator/station.ts";
import { TruthFile } from "./simulator/truth.ts";

// A transport's library is loaded only where the transport is used: the pseudo-terminal is an optional dependency.
async function linkOf(member: FleetMember, options: SimulateOptions): Promise<Link> {
  switch (member.transport) {
    case "websocket": {
      const { WebSocketLink } = await import("./simulator/websocket-link.ts");
      return new WebSocketLink(options.websocketUrl, options.token);
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
      return new SerialLink(member.serialLink, options.baud);
    }
  }
}

async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}

/** Prints the messages of all devices, merged, with the clock of the model instead of the wall's. */
async function dryRun(options: SimulateOptions, truth: TruthFile | undefined): Promise<void> {
  process.stdout.on("error", () => process.exit(0)); // the reader (head …) has seen enough
  const stations = fleet(options).map(({ identity }) => ({
    identity,
    station: new Station(options.seed, identity.deviceId),
    faults: options.faults,
    rng: random(options.seed, `${identity.deviceId}/device`),
  }));
  const start = Date.now();
  for (let i = 0; i < (options.count ?? 10); i++) {
    for (const station of stations) {
      const { text, truth: line } = produce(station, new Date(start + Math.round((1000 * i) / options.rate)));
      truth?.append(line);
      await print(text);
    }
  }
}

async function run(options: SimulateOptions, truth: TruthFile | undefined): Promise<void> {
  const devices: Device[] = [];
  for (const member of fleet(options)) {
    const { identity } = member;
    devices.push(
      new Device({
        identity,
        station: new Station(options.seed, identity.deviceId),
        link: await linkOf(member, options),
        rate: options.rate,
        faults: options.faults,
        ...(options.count !== undefined && { count: options.count }),
        rng: random(options.seed, `${identity.deviceId}/device`),
        onTruth: (line) => truth?.append(line),
      }),
    );
  }
  const say = (text: string): void => {
    if (!options.quiet) console.log(`simulate: ${text}`);
  };
  say(`${devices.length} devices over ${options.transports.join(", ")}, ${options.rate}/s each, seed ${options.seed}`);
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
