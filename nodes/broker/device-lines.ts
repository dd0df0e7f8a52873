import { isCborMap } from "../device/cbor.ts";
import { isId } from "../sample/ids.ts";

/** Where a JSON sample names its device, in either dialect; the first occurrence is the message's own. */
const DEVICE_ID = /"device(?:_id)?"\s*:\s*"([A-Za-z0-9_-]{1,64})"/;

/** The key `device` as CBOR text. */
const CBOR_DEVICE = Buffer.from("fdevice");
const TEXT_WITH_LENGTH = 0x78;
const MAX_ID = 64;

/** The id of the device that sent a sample, without decoding all of it; undefined where it is not found. */
function deviceOf(bytes: Buffer): string | undefined {
  if (!isCborMap(bytes)) return DEVICE_ID.exec(bytes.toString("latin1"))?.[1];
  const head = bytes.indexOf(CBOR_DEVICE) + CBOR_DEVICE.length;
  if (head < CBOR_DEVICE.length) return undefined;
  const isLong = bytes[head] === TEXT_WITH_LENGTH;
  const length = isLong ? (bytes[head + 1] ?? 0) : (bytes[head] ?? 0) - 0x60;
  const start = head + (isLong ? 2 : 1);
  if (length < 1 || length > MAX_ID) return undefined;
  const id = bytes.toString("latin1", start, start + length);
  return isId(id) ? id : undefined;
}

/**
 * Remembers on which line each device of one connection said it stands. A connection may carry several devices (a
 * gateway, a serial bus); the ones heard of longest ago are forgotten first.
 */
export class DeviceLines {
  readonly #most: number;
  readonly #lines = new Map<string, string | undefined>();

  constructor(most = 256) {
    this.#most = most;
  }

  /** The line a device said last; undefined when it named none. */
  of(deviceId: string): string | undefined {
    return this.#lines.get(deviceId);
  }

  /** Notes what a device's hello said. */
  note(deviceId: string, lineId: string | undefined): void {
    this.#lines.delete(deviceId);
    this.#lines.set(deviceId, lineId);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > this.#most && oldest !== undefined) this.#lines.delete(oldest);
  }

  /** The line of the device a sample comes from; where it names none, that of the only device known. */
  ofSample(bytes: Buffer): string | undefined {
    if (this.#lines.size === 0) return undefined;
    const deviceId = deviceOf(bytes);
    if (deviceId !== undefined) return this.#lines.get(deviceId);
    return this.#lines.size === 1 ? [...this.#lines.values()][0] : undefined;
  }
}
