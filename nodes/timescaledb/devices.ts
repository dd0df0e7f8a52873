import type { ClientBase } from "pg";
import type { Sample } from "../sample/sample.ts";
import { plainText } from "./json-text.ts";

/** What was last learned of a device. What is undefined leaves what is known. */
export interface DeviceSighting {
  deviceId: string;
  /** ISO 8601 UTC. */
  seenAt: string;
  sampleAt?: string | undefined;
  siteId?: string | undefined;
  lineId?: string | undefined;
  transport?: string | undefined;
  firmware?: string | undefined;
  mac?: string | undefined;
  ip?: string | undefined;
  location?: string | undefined;
}

export function sightingOf(sample: Sample): DeviceSighting {
  return {
    deviceId: sample.deviceId,
    seenAt: sample.receivedAt,
    sampleAt: sample.measuredAt,
    siteId: sample.siteId,
    lineId: sample.lineId,
    transport: sample.transport,
    firmware: sample.firmware,
  };
}

/** Most devices sighted between two batches. */
const MAX_SIGHTINGS = 1000;

/** What was learned of devices since the last batch, by device. */
export class Sightings {
  #byDevice = new Map<string, DeviceSighting>();

  get size(): number {
    return this.#byDevice.size;
  }

  add(sighting: DeviceSighting): void {
    const known = this.#byDevice.get(sighting.deviceId);
    if (!known && this.#byDevice.size >= MAX_SIGHTINGS) return;
    const merged: DeviceSighting = { ...known, ...defined(sighting) };
    if (known && known.seenAt > sighting.seenAt) merged.seenAt = known.seenAt;
    if (known?.sampleAt && sighting.sampleAt && known.sampleAt > sighting.sampleAt) merged.sampleAt = known.sampleAt;
    this.#byDevice.set(sighting.deviceId, merged);
  }

  take(): DeviceSighting[] {
    const taken = [...this.#byDevice.values()];
    this.#byDevice = new Map();
    return taken;
  }
}

function defined(sighting: DeviceSighting): DeviceSighting {
  const entries = Object.entries(sighting).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(entries), deviceId: sighting.deviceId, seenAt: sighting.seenAt };
}

/** Brings the `devices` table up to date with these sightings (one per device). */
export async function storeSightings(client: ClientBase, sightings: readonly DeviceSighting[]): Promise<void> {
  if (sightings.length === 0) return;
  // In one order, so that two writers never wait for each other crosswise.
  const sorted = [...sightings].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
  const texts = (key: keyof DeviceSighting) =>
    sorted.map((sighting) => {
      const value = sighting[key];
      return value === undefined ? null : plainText(value, 200);
    });
  await client.query({
    name: "foieflow-devices",
    text: `INSERT INTO devices AS d
        (device_id, first_seen_at, last_seen_at, last_sample_at, site_id, line_id, transport, firmware, mac, ip, location)
      SELECT device_id, seen_at, seen_at, sample_at, site_id, line_id, transport, firmware, mac, ip, location
      FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
        AS s (device_id, seen_at, sample_at, site_id, line_id, transport, firmware, mac, ip, location)
      ON CONFLICT (device_id) DO UPDATE SET
        first_seen_at = least(d.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(d.last_seen_at, excluded.last_seen_at),
        last_sample_at = greatest(d.last_sample_at, excluded.last_sample_at),
        site_id = coalesce(excluded.site_id, d.site_id),
        line_id = coalesce(excluded.line_id, d.line_id),
        transport = coalesce(excluded.transport, d.transport),
        firmware = coalesce(excluded.firmware, d.firmware),
        mac = coalesce(excluded.mac, d.mac),
        ip = coalesce(excluded.ip, d.ip),
        location = coalesce(excluded.location, d.location)`,
    values: [
      texts("deviceId"),
      texts("seenAt"),
      texts("sampleAt"),
      texts("siteId"),
      texts("lineId"),
      texts("transport"),
      texts("firmware"),
      texts("mac"),
      texts("ip"),
      texts("location"),
    ],
  });
}
