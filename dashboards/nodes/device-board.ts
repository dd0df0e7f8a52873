import type { Sample } from "@foieflow/node-red-foieflow/sample/sample.js";
import type { DeviceView } from "./view.ts";

const MAX_DEVICES = 32;
const BUCKET_MS = 10_000;
const BUCKETS = 6;

export interface DeviceEvent {
  event: string;
  transport?: string;
  firmware?: string;
  /** Of a `gap` or `gap-closed`: samples of the device that are missing now. */
  missingNow?: number;
}

interface Known extends Omit<DeviceView, "perMinute" | "id"> {
  /** Samples by ten-second bucket since the epoch. */
  buckets: Map<number, number>;
}

/** Who is on the line: at most 32 devices, the longest silent forgotten first. */
export class DeviceBoard {
  readonly #devices = new Map<string, Known>();

  sample(sample: Pick<Sample, "deviceId" | "transport" | "firmware">, nowMs: number): void {
    const device = this.#know(sample.deviceId, nowMs);
    device.transport = sample.transport;
    if (sample.firmware !== undefined) device.firmware = sample.firmware;
    device.connection = "connected";
    const bucket = Math.floor(nowMs / BUCKET_MS);
    device.buckets.set(bucket, (device.buckets.get(bucket) ?? 0) + 1);
  }

  /** @returns false for an event that says nothing of a device's state (`refused`, or one unknown here) */
  event(deviceId: string, event: DeviceEvent, nowMs: number): boolean {
    if (event.event === "gap" || event.event === "gap-closed") {
      const device = this.#know(deviceId, nowMs);
      if (event.missingNow) device.missing = event.missingNow;
      else delete device.missing;
      return true;
    }
    if (event.event === "listening") {
      // Another system, that listens to alarms and measures nothing.
      return this.#devices.get(deviceId)?.buckets.size === 0 && this.#devices.delete(deviceId);
    }
    if (!["hello", "heartbeat", "connected", "disconnected"].includes(event.event)) return false;
    const gone = event.event === "disconnected";
    if (gone && !this.#devices.has(deviceId)) return false;
    const device = this.#know(deviceId, gone ? undefined : nowMs);
    device.connection = gone ? "disconnected" : "connected";
    if (event.transport !== undefined) device.transport = event.transport;
    if (event.firmware !== undefined) device.firmware = event.firmware;
    return true;
  }

  /** The clock was set back to `nowMs`: nobody was seen after that. */
  setBack(nowMs: number): void {
    for (const device of this.#devices.values()) {
      device.buckets.clear();
      device.seenMs = Math.min(device.seenMs, nowMs);
    }
  }

  /** Drops what fell out of the minute. @returns whether a rate changed */
  expire(nowMs: number): boolean {
    const oldest = Math.floor(nowMs / BUCKET_MS) - BUCKETS;
    let changed = false;
    for (const device of this.#devices.values()) {
      for (const bucket of device.buckets.keys()) {
        if (bucket <= oldest) changed = device.buckets.delete(bucket) || changed;
      }
    }
    return changed;
  }

  list(nowMs: number): DeviceView[] {
    this.expire(nowMs);
    const views = [...this.#devices].map(([id, { buckets, ...device }]) => {
      let perMinute = 0;
      for (const count of buckets.values()) perMinute += count;
      return { id, ...device, perMinute };
    });
    return views.sort((a, b) => a.id.localeCompare(b.id, "en", { numeric: true }));
  }

  #know(id: string, seenMs: number | undefined): Known {
    let device = this.#devices.get(id);
    if (!device) {
      if (this.#devices.size >= MAX_DEVICES) this.#forgetOne();
      device = { transport: "", seenMs: seenMs ?? 0, connection: "unknown", buckets: new Map() };
      this.#devices.set(id, device);
    }
    if (seenMs !== undefined) device.seenMs = seenMs;
    return device;
  }

  #forgetOne(): void {
    let oldest: string | undefined;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [id, device] of this.#devices) {
      if (device.seenMs < oldestMs) [oldest, oldestMs] = [id, device.seenMs];
    }
    if (oldest !== undefined) this.#devices.delete(oldest);
  }
}
