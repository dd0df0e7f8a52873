import { encodeEnvelopeCbor } from "../../nodes/device/envelope-encode.ts";
import { BeltStation, FRAME_MS } from "../simulator/belt.ts";
import { nearestProduct } from "../simulator/belt-source.ts";
import { type DeviceIdentity, sensorData, stamp } from "../simulator/message.ts";
import { rawEnvelope } from "../simulator/raw-message.ts";
import { Station } from "../simulator/station.ts";

/** `sqal`: a `sensor_data` message of SQAL's devices, about 17 KB of JSON; `raw`: registers in the device envelope, about 2 KB of CBOR. */
export type SampleKind = "sqal" | "raw";

/** A sample that can be recognised anywhere: in an acknowledgement, a row, a journal. */
export interface NumberedSample {
  /** `<boot>-<seq>`, which is also the row's `sample_id`. */
  sampleId: string;
  bytes: Buffer;
}

/** Different samples a device has; they are sent over and over, each time with another number and time. */
const DIFFERENT = 48;
const ID = "@sample-id@";
const TIME = "@timestamp@";
const MARKS = new RegExp(`(${ID}|${TIME})`);

/** Makes a device's samples, numbered 0, 1, 2 …; cheap, so that the maker does not slow what it measures. */
export class SampleMaker {
  readonly device: string;
  readonly kind: SampleKind;
  readonly boot: number;
  readonly #make: (seq: number, atMs: number) => Buffer;
  #next = 0;

  /** @param boot number of this start of the device: never the same twice in one database */
  constructor(kind: SampleKind, device: string, boot: number, seed: number) {
    this.kind = kind;
    this.device = device;
    this.boot = boot;
    const identity: DeviceIdentity = {
      deviceId: device,
      macAddress: "24:0A:C4:00:00:01",
      ipAddress: "192.168.1.100",
      location: "Ligne A",
      generation: kind === "raw" ? "raw" : "new",
      claims: false,
    };
    this.#make = kind === "raw" ? rawSamples(identity, boot, seed) : sqalSamples(identity, boot, seed);
  }

  /** The next sample, measured at `atMs` (since 1970). */
  next(atMs: number): NumberedSample {
    const seq = this.#next++;
    return { sampleId: `${this.boot}-${seq}`, bytes: this.#make(seq, atMs) };
  }
}

function sqalSamples(identity: DeviceIdentity, boot: number, seed: number): (seq: number, atMs: number) => Buffer {
  const station = new Station(seed, identity.deviceId);
  const messages = Array.from({ length: DIFFERENT }, () => {
    const message = sensorData(identity, station.measure(new Date()));
    const text = JSON.stringify({ ...message, sample_id: ID, timestamp: TIME });
    return text.split(MARKS).map((part) => (part === ID || part === TIME ? part : Buffer.from(part)));
  });
  return (seq, atMs) => {
    const parts = messages[seq % DIFFERENT] ?? [];
    const values = { [ID]: `${boot}-${seq}`, [TIME]: stamp(new Date(atMs)) };
    return Buffer.concat(parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(values[part]))));
  };
}

function rawSamples(identity: DeviceIdentity, boot: number, seed: number): (seq: number, atMs: number) => Buffer {
  const station = new BeltStation(seed, identity.deviceId);
  const startMs = Date.now();
  const envelopes = Array.from({ length: DIFFERENT }, (_, sequence) => {
    const taken = station.next(startMs + sequence * FRAME_MS);
    return rawEnvelope(taken, { identity, boot, sequence, lot: nearestProduct(taken)?.lot ?? station.lot });
  });
  return (seq, atMs) => {
    const envelope = envelopes[seq % DIFFERENT];
    if (!envelope) throw new RangeError("no envelope");
    return encodeEnvelopeCbor({ ...envelope, seq, t: Math.round(atMs * 1000) });
  };
}
