import { encode } from "cborg";

/** Turns and mirrors from the sensor's zone order to the line's: first the flips, then the turns. */
export interface EnvelopeOrientation {
  flipX?: boolean;
  flipY?: boolean;
  /** Clockwise quarter turns, 0…3. */
  quarterTurns?: number;
}

/** How the sensor was told to aggregate its histograms: the buffer does not say. */
export interface EnvelopeCnh {
  /** First bin of the range, as given to the driver. */
  startBin: number;
  /** Sensor bins per bin sent. */
  subSample: number;
  /** Aggregate of each zone, row-major, as given to the driver; −1 where a zone has none. */
  zoneMap?: number[];
}

/** What the ToF sensor's registers held: the result frame as read from the bus, in either byte order. */
export interface EnvelopeTofRaw {
  raw: Uint8Array;
  /** `uld` (the default): a result frame of ST's ultra-lite driver. */
  format?: "uld";
  orientation?: EnvelopeOrientation;
  cnh?: EnvelopeCnh;
}

/** A frame the device has decoded itself: 16 or 64 values per list, row-major, flat or as rows. */
export interface EnvelopeTofFrame {
  distanceMm: number[] | number[][];
  /** ST's target status; 5 and 9 are valid, 255 means no target. */
  status: number[] | number[][];
  reflectancePercent?: number[] | number[][];
  /** kcps/SPAD. */
  signal?: number[] | number[][];
  /** kcps/SPAD. */
  ambient?: number[] | number[][];
  /** Standard deviation of the range, mm. */
  rangeSigmaMm?: number[] | number[][];
}

/** What the AS7341's registers held: one block per SMUX pass, 13 bytes from 0x94 or 12 from 0x95. */
export interface EnvelopeSpectralRaw {
  raw: Uint8Array[];
  /** Registers ATIME and ASTEP as written. */
  atime?: number;
  astep?: number;
  /** Gain factor 0.5 … 512, where the blocks lack ASTATUS. */
  gain?: number;
}

/** Counts the device has read itself. */
export interface EnvelopeSpectralCounts {
  channels: Record<string, number>;
  atime?: number;
  astep?: number;
  gain?: number;
  integrationMs?: number;
}

/** One sample in FoieFlow's own form; `docs/device-protocol.md` says what every field means. */
export interface DeviceEnvelope {
  v: 1;
  device: string;
  /** Number or name of this start of the device; with `seq` it makes the sample's identity. */
  boot?: number | string;
  /** 0, 1, 2 … from each start on. */
  seq?: number;
  /** Device time: ISO 8601, or ms or µs since 1970. Absent: the server's time. */
  t?: number | string;
  /** Product in view: a counter of this boot, or a name unique in the site. */
  product?: number | string;
  sample?: string;
  location?: string;
  lot?: string;
  eleveur?: string;
  provenance?: string;
  firmware?: string;
  temperatureC?: number;
  humidityPercent?: number;
  vl53l8ch?: EnvelopeTofRaw | EnvelopeTofFrame;
  as7341?: EnvelopeSpectralRaw | EnvelopeSpectralCounts;
  /** Anything else worth keeping: stored, never used. */
  meta?: object;
}

/** What a device says of itself when it starts. */
export interface DeviceHello {
  v: 1;
  device: string;
  hello: true;
  location?: string;
  firmware?: string;
  mac?: string;
  ip?: string;
  sensors?: Record<string, string>;
  /** Asks for an acknowledgement of each sample. */
  ack?: boolean;
  t?: number | string;
}

/** What a device says of itself now and then. */
export interface DeviceHeartbeat {
  v: 1;
  device: string;
  heartbeat: true;
  uptimeS?: number;
  stats?: Record<string, number>;
  buffered?: number;
  t?: number | string;
}

type DeviceMessage = DeviceEnvelope | DeviceHello | DeviceHeartbeat;

/** The message as CBOR: definite lengths, keys in the order given, numbers in the shortest exact form. */
export function encodeEnvelopeCbor(message: DeviceMessage): Buffer {
  const bytes = encode(message, { mapSorter: () => 0, ignoreUndefinedProperties: true });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The message as JSON, byte strings in base64. */
export function encodeEnvelopeJson(message: DeviceMessage): Buffer {
  return Buffer.from(JSON.stringify(withBase64(message)));
}

function withBase64(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(withBase64);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withBase64(item)]));
}
