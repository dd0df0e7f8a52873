/** Where a sample names its device, in either dialect; the first occurrence is the message's own. */
const DEVICE_ID = /"device(?:_id)?"\s*:\s*"([A-Za-z0-9_-]{1,64})"/;

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
    const [, deviceId] = DEVICE_ID.exec(bytes.toString("latin1")) ?? [];
    if (deviceId !== undefined) return this.#lines.get(deviceId);
    return this.#lines.size === 1 ? [...this.#lines.values()][0] : undefined;
  }
}
