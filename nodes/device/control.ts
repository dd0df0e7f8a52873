import { isId, toId } from "../sample/ids.ts";
import { isCborMap, parseCbor } from "./cbor.ts";
import { ENVELOPE_VERSION } from "./envelope.ts";
import { isObject, type JsonObject, parseJson } from "./json.ts";
import { parseTimestamp, timestampOfEpoch } from "./timestamp.ts";

/** What a device says besides samples. A door answers or notes it; it is never appended to the inbox. */
export type ControlMessage = HelloMessage | HeartbeatMessage | { type: "ping" };

export interface HelloMessage {
  type: "hello";
  deviceId: string;
  /** As the device writes it, e.g. `Ligne A`. */
  location?: string;
  /** `location` as an id, e.g. `Ligne-A`. */
  lineId?: string;
  firmware?: string;
  mac?: string;
  ip?: string;
  /** Sensor name to bus address, as announced. */
  sensors?: Record<string, string>;
  /** The device asks for an acknowledgement of each sample (`"ack": true` in its hello); SQAL's clients never do. */
  wantsAck?: boolean;
  /** ISO 8601 UTC. */
  timestamp?: string;
}

export interface HeartbeatMessage {
  type: "heartbeat";
  deviceId: string;
  uptimeS?: number;
  stats?: Record<string, number>;
  bufferSize?: number;
  timestamp?: string;
}

/** Larger messages are never control messages (a hello has about 350 bytes). */
export const MAX_CONTROL_BYTES = 4096;
const MAX_ENTRIES = 32;
const MAX_TEXT = 128;
/** The keys that make an envelope a control message, as CBOR writes them. */
const CBOR_KEYS = ["ehello", "iheartbeat", "dping"].map((key) => Buffer.from(key));

/**
 * Reads a device's hello, heartbeat or ping. Anything else gives null, malformed ones too, so that they go the way of
 * samples and end in quarantine with a reason instead of vanishing.
 */
export function parseControl(bytes: Uint8Array): ControlMessage | null {
  if (bytes.byteLength > MAX_CONTROL_BYTES) return null;
  const limits = { maxBytes: MAX_CONTROL_BYTES, maxDepth: 4 };
  let message: ReturnType<typeof parseJson>;
  try {
    if (!isCborMap(bytes)) message = parseJson(bytes, limits);
    else if (mayBeControl(bytes)) message = parseCbor(bytes, limits);
    else return null;
  } catch {
    return null;
  }
  if (!isObject(message)) return null;
  if (message.v !== undefined && message.type === undefined) return envelopeControl(message);
  if (message.type === "ping") return { type: "ping" };
  if (message.type === "esp32_hello" || message.type === "hello") return hello(message);
  if (message.type === "heartbeat") return heartbeat(message);
  return null;
}

/** A sample in CBOR is often as short as a hello; looking for the keys spares decoding it twice. */
function mayBeControl(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return CBOR_KEYS.some((key) => buffer.includes(key));
}

/** The envelope's hello, heartbeat and ping. */
function envelopeControl(message: JsonObject): ControlMessage | null {
  if (message.v !== ENVELOPE_VERSION) return null;
  const { device: device_id, firmware: firmware_version, mac: mac_address, ip: ip_address, t, ...rest } = message;
  const timestamp = typeof t === "number" ? (timestampOfEpoch(t)?.iso ?? null) : (t ?? null);
  const same = { ...rest, device_id: device_id ?? null, timestamp };
  if (message.hello === true) {
    return hello({
      ...same,
      firmware_version: firmware_version ?? null,
      mac_address: mac_address ?? null,
      ip_address: ip_address ?? null,
    });
  }
  if (message.heartbeat === true) {
    return heartbeat({ ...same, uptime: message.uptimeS ?? null, buffer_size: message.buffered ?? null });
  }
  return message.ping === true ? { type: "ping" } : null;
}

function hello(message: JsonObject): HelloMessage | null {
  const deviceId = message.device_id;
  if (!isId(deviceId)) return null;
  const location = text(message.location);
  const lineId = location === undefined ? undefined : toId(location);
  const firmware = text(message.firmware_version);
  const mac = text(message.mac_address);
  const ip = text(message.ip_address);
  const sensors = record(message.sensors, text);
  const timestamp = time(message.timestamp);
  return {
    type: "hello",
    deviceId,
    ...(location !== undefined && { location }),
    ...(lineId !== undefined && { lineId }),
    ...(firmware !== undefined && { firmware }),
    ...(mac !== undefined && { mac }),
    ...(ip !== undefined && { ip }),
    ...(sensors && { sensors }),
    ...(message.ack === true && { wantsAck: true }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

function heartbeat(message: JsonObject): HeartbeatMessage | null {
  const deviceId = message.device_id;
  if (!isId(deviceId)) return null;
  const uptimeS = count(message.uptime);
  const stats = record(message.stats, count);
  const bufferSize = count(message.buffer_size);
  const timestamp = time(message.timestamp);
  return {
    type: "heartbeat",
    deviceId,
    ...(uptimeS !== undefined && { uptimeS }),
    ...(stats && { stats }),
    ...(bufferSize !== undefined && { bufferSize }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= MAX_TEXT ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}

function time(value: unknown): string | undefined {
  return typeof value === "string" ? parseTimestamp(value)?.iso : undefined;
}

function record<T>(value: JsonObject[string] | undefined, read: (item: unknown) => T | undefined) {
  if (!isObject(value)) return undefined;
  const result: Record<string, T> = {};
  for (const [key, item] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    const parsed = read(item);
    if (parsed !== undefined && key.length <= MAX_TEXT) result[key] = parsed;
  }
  return result;
}
