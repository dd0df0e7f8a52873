import { join } from "node:path";
import { parseArgs } from "node:util";
import { readEnvironment } from "../../distribution/environment.ts";
import { isId, toId } from "../../nodes/sample/ids.ts";
import { TRANSPORTS, type Transport } from "../../nodes/sample/units.ts";
import { STILL_SCENES, type StillScene } from "./belt.ts";
import { GENERATIONS, type Generation } from "./message.ts";

export interface SimulateOptions {
  devices: number;
  rate: number;
  transports: Transport[];
  generation: Generation;
  claims: boolean;
  /** Devices keep a sample until it is acknowledged, and send it again. */
  ack: boolean;
  faults: number;
  seed: number;
  count?: number;
  durationS?: number;
  websocketUrl: string;
  mqttUrl: string;
  serialLink: string;
  baud: number;
  siteId: string;
  /** Name of the one line all devices stand on; without it they stand on Ligne A, B and C in turn. */
  line?: string;
  token?: string;
  truthPath?: string;
  dryRun: boolean;
  quiet: boolean;
  /** Settings of devices of generation `raw`. */
  belt: BeltOptions;
}

export interface BeltOptions {
  /** Default: CBOR, and JSON over WebSocket. */
  encoding?: "cbor" | "json";
  trigger: boolean;
  cnh: boolean;
  /** What lies below the sensors; products on a moving belt when absent. */
  scene?: StillScene;
  heightErrorMm: number;
  tiltXDeg: number;
  tiltYDeg: number;
  speedMmS: number;
}

export const USAGE = `Usage: npm run simulate -- [options]
  A simulated line: products, sensors and devices, connecting as real devices do.

  --devices N          devices, on the transports in turn (default: 3)
  --rate R             products per second and device (default: 0.5)
  --transport LIST     of websocket, mqtt, serial (default: websocket)
  --generation G       new (about 17 KB a sample), legacy (with histograms, about 140 KB), or raw (sensor registers in
                       FoieFlow's own envelope, 15 a second, about 3.4 KB each); default: new
  --no-claims          devices leave out their own statistics, scores and grades
  --ack                devices ask for acknowledgements, keep what got none and send it again (over MQTT they always do)
  --faults SHARE       share of samples spoiled on purpose, 0 to 1 (default: 0)
  --seed N             same seed, same products (default: a new one, shown)
  --count N            stop after N products per device
  --duration S         stop after S seconds
  --url URL            WebSocket door (default: ws://HOST:PORT/ws/sensors/)
  --mqtt-url URL       MQTT broker (default: MQTT_URL, else mqtt://HOST:MQTT_PORT)
  --serial-link PATH   link to the pseudo-terminal, for SERIAL_PORT (default: DATA_DIR/simulation/serial)
  --baud N             pace of the serial line (default: 921600)
  --site ID --line NAME  (default: SITE; LINE, else Ligne A, B, C in turn)
  --truth PATH         where the truth goes (default: DATA_DIR/simulation/truth.ndjson; none in a dry run)
  --dry-run            print the messages to standard output, connect nowhere (--count 10 unless given)
  --quiet              no status lines
  --help

For --generation raw (a belt 300 mm below the sensors; --rate is reached where gaps allow it):
  --encoding E         cbor or json (default: json over WebSocket, cbor else; cbor on serial in COBS frames)
  --trigger            samples carry the product counter of a light barrier
  --no-cnh             leave the histograms out (about 1.6 KB a sample)
  --scene S            hold something still below the sensors, for calibration: empty, dark, white or grey
                       (the same --seed is the same device)
  --height-error MM    the sensor hangs so much too high (default: 0)
  --tilt X,Y           tilt of the belt against the sensor, degrees (default: 0,0)
  --belt-speed MM_S    (default: 250)

Environment: HOST PORT MQTT_PORT MQTT_URL DATA_DIR SITE LINE DEVICE_TOKEN`;

/** A mistake of the caller's; its message is for them. */
export class UsageError extends Error {}

function number(name: string, text: string, low: number, high: number, whole = false): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value)))
    throw new UsageError(`${name} must be a ${whole ? "whole " : ""}number from ${low} to ${high}, not "${text}"`);
  return value;
}

/** An address to bind to is not one to connect to: everywhere means here. */
function reachable(host: string): string {
  if (host === "" || host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

const oneOf = <T extends string>(names: readonly T[], text: string): T | undefined =>
  names.find((name) => name === text);

function isTransport(text: string): text is Transport {
  return TRANSPORTS.some((transport) => transport === text);
}

/**
 * Reads command line and environment.
 * @param freshSeed seed to use when none was given
 * @throws UsageError with what is wrong; `help` is answered by undefined
 */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, freshSeed: number): SimulateOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const transports = (values.transport ?? "websocket").split(",").map((name) => name.trim());
  if (!transports.every(isTransport)) throw new UsageError(`--transport is a list of ${TRANSPORTS.join(", ")}`);
  const generation = oneOf(GENERATIONS, values.generation ?? "new");
  if (!generation) throw new UsageError(`--generation is one of ${GENERATIONS.join(", ")}`);
  const environment = environmentOf(env);
  const siteId = values.site ?? environment.site;
  if (!isId(siteId)) throw new UsageError(`--site must match [A-Za-z0-9_-]{1,64}, not "${siteId}"`);
  const line = values.line ?? (env.LINE || undefined);
  if (line !== undefined && toId(line) === undefined) throw new UsageError(`--line "${line}" leaves no usable id`);
  const host = reachable(environment.host);
  const directory = join(environment.dataDir, "simulation");
  const dryRun = values["dry-run"] ?? false;
  const count = values.count ?? (dryRun ? "10" : undefined);
  const truthPath = values.truth ?? (dryRun ? undefined : join(directory, "truth.ndjson"));
  return {
    devices: number("--devices", values.devices ?? "3", 1, 1000, true),
    rate: number("--rate", values.rate ?? "0.5", 0.001, 50),
    transports,
    generation,
    claims: !values["no-claims"],
    ack: values.ack ?? false,
    faults: number("--faults", values.faults ?? "0", 0, 1),
    seed: values.seed === undefined ? freshSeed : number("--seed", values.seed, 0, 2 ** 32 - 1, true),
    ...(count !== undefined && { count: number("--count", count, 1, 1e9, true) }),
    ...(values.duration !== undefined && { durationS: number("--duration", values.duration, 0.1, 1e7) }),
    websocketUrl: values.url ?? `ws${environment.tls ? "s" : ""}://${host}:${environment.port}/ws/sensors/`,
    mqttUrl:
      values["mqtt-url"] ??
      environment.mqttUrl ??
      `mqtt${environment.tls ? "s" : ""}://${host}:${environment.mqttPort}`,
    serialLink: values["serial-link"] ?? join(directory, "serial"),
    baud: number("--baud", values.baud ?? "921600", 300, 4_000_000, true),
    siteId,
    ...(line !== undefined && { line }),
    ...(env.DEVICE_TOKEN && env.DEVICE_TOKEN !== "off" && { token: env.DEVICE_TOKEN }),
    ...(truthPath !== undefined && { truthPath }),
    dryRun,
    quiet: values.quiet ?? false,
    belt: beltOptions(values),
  };
}

function beltOptions(values: ReturnType<typeof parse>): BeltOptions {
  const encoding = values.encoding === undefined ? undefined : oneOf(["cbor", "json"], values.encoding);
  if (values.encoding !== undefined && !encoding) throw new UsageError("--encoding is cbor or json");
  const scene = values.scene === undefined ? undefined : oneOf(STILL_SCENES, values.scene);
  if (values.scene !== undefined && !scene) throw new UsageError(`--scene is one of ${STILL_SCENES.join(", ")}`);
  const tilts = (values.tilt ?? "0,0").split(",");
  if (tilts.length !== 2) throw new UsageError("--tilt is two angles: X,Y");
  const [tiltXDeg = 0, tiltYDeg = 0] = tilts.map((text) => number("--tilt", text, -20, 20));
  return {
    ...(encoding && { encoding }),
    trigger: values.trigger ?? false,
    cnh: !values["no-cnh"],
    ...(scene && { scene }),
    heightErrorMm: number("--height-error", values["height-error"] ?? "0", -100, 100),
    tiltXDeg,
    tiltYDeg,
    speedMmS: number("--belt-speed", values["belt-speed"] ?? "250", 20, 2000),
  };
}

function environmentOf(env: NodeJS.ProcessEnv) {
  try {
    return readEnvironment(env);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args,
      strict: true,
      options: {
        devices: text,
        rate: text,
        transport: text,
        generation: text,
        "no-claims": flag,
        ack: flag,
        faults: text,
        seed: text,
        count: text,
        duration: text,
        url: text,
        "mqtt-url": text,
        "serial-link": text,
        baud: text,
        site: text,
        line: text,
        truth: text,
        "dry-run": flag,
        quiet: flag,
        help: flag,
        encoding: text,
        trigger: flag,
        "no-cnh": flag,
        scene: text,
        "height-error": text,
        tilt: text,
        "belt-speed": text,
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
