import { isCborMap } from "../device/cbor.ts";
import { isId } from "../sample/ids.ts";

/** Where a JSON sample names its device, in either dialect; the first occurrence is the message's own. */
const DEVICE_ID = /"device(?:_id)?"\s*:\s*"([A-Za-z0-9_-]{1,64})"/;

/** A sample names its device first; the text of a whole one is long. */
const HEAD_BYTES = 512;

/** The key `device` as CBOR text. */
const CBOR_DEVICE = Buffer.from("fdevice");
const TEXT_WITH_LENGTH = 0x78;
const MAX_ID = 64;

/** The id of the device that sent a sample, without decoding all of it; undefined where it is not found. */
function deviceOf(bytes: Buffer): string | undefined {
  if (!isCborMap(bytes)) return deviceIn(bytes.subarray(0, HEAD_BYTES)) ?? deviceIn(bytes);
  const head = bytes.indexOf(CBOR_DEVICE) + CBOR_DEVICE.length;
  if (head < CBOR_DEVICE.length) return undefined;
  const isLong = bytes[head] === TEXT_WITH_LENGTH;
  const length = isLong ? (bytes[head + 1] ?? 0) : (bytes[head] ?? 0) - 0x60;
  const start = head + (isLong ? 2 : 1);
  if (length < 1 || length > MAX_ID) return undefined;
  const id = bytes.toString("latin1", start, start + length);
  return isId(id) ? id : undefined;
}

function deviceIn(json: Buffer): string | undefined {
  return DEVICE_ID.exec(json.toString("latin1"))?.[1];
}

/**
 * Remembers what each device of one connection said of itself, such as the line it stands on. A connection may carry
 * several devices (a gateway, a serial bus); the ones heard of longest ago are forgotten first.
 */
export class DeviceNotes<Note> {
  readonly #most: number;
  readonly #notes = new Map<string, Note>();

  constructor(most = 256) {
    this.#most = most;
  }

  /** What was noted of a device last; undefined when it said nothing yet. */
  of(deviceId: string): Note | undefined {
    return this.#notes.get(deviceId);
  }

  /** Notes what a device's hello said. */
  note(deviceId: string, note: Note): void {
    this.#notes.delete(deviceId);
    this.#notes.set(deviceId, note);
    const [oldest] = this.#notes.keys();
    if (this.#notes.size > this.#most && oldest !== undefined) this.#notes.delete(oldest);
  }

  /** The note of the device a sample comes from; where it names none, that of the only device known. */
  ofSample(bytes: Buffer): Note | undefined {
    if (this.#notes.size === 0) return undefined;
    const deviceId = deviceOf(bytes);
    if (deviceId !== undefined) return this.#notes.get(deviceId);
    return this.#notes.size === 1 ? [...this.#notes.values()][0] : undefined;
  }
}
