import { encodeRegisters } from "../../nodes/as7341/registers.ts";
import type { DeviceEnvelope } from "../../nodes/device/envelope-encode.ts";
import { encodeUld } from "../../nodes/vl53l8ch/uld-encode.ts";

/** A result frame as registers hold it: 8×8, one target, a mound on a belt 300 mm away, all values on the sensor's steps. */
export function tofBytes(byteOrder: "bus" | "host" = "bus"): Buffer {
  const zones = Array.from({ length: 64 }, (_, zone) => {
    const [x, y] = [(zone % 8) - 3.5, Math.floor(zone / 8) - 3.5];
    return Math.max(0, 60 - 6 * (x * x + y * y));
  });
  return Buffer.from(
    encodeUld(
      {
        zones: 64,
        raw: {
          ambientPerSpad: zones.map((_, zone) => 2048 + 16 * zone),
          targetCount: zones.map(() => 1),
          signalPerSpad: zones.map((height) => 2048 * 40 + 512 * Math.round(height)),
          rangeSigma: zones.map(() => 200),
          distance: zones.map((height) => Math.round(4 * (300 - height)) + 1),
          reflectance: zones.map((height) => (height > 0 ? 90 : 20)),
          targetStatus: zones.map((_, zone) => (zone === 63 ? 9 : 5)),
        },
        streamCount: 7,
        siliconTempC: 31,
      },
      { byteOrder },
    ),
  );
}

/** Both SMUX passes, 13 bytes each, at gain 64. */
export function spectralBytes(): Buffer[] {
  return [
    [1200, 2300, 3400, 4500, 9000, 1500],
    [5600, 6700, 7800, 8900, 9010, 1502],
  ].map((counts) => Buffer.from(encodeRegisters({ counts, gain: 64 })));
}

/** A sample as a device with both sensors sends it. */
export function rawEnvelope(more: Partial<DeviceEnvelope> = {}): DeviceEnvelope {
  return {
    v: 1,
    device: "ESP32_RAW_01",
    boot: 17,
    seq: 4,
    t: "2026-11-22T10:23:52.966818Z",
    lot: "LOT-7",
    eleveur: "Ferme Éric",
    provenance: "Périgord",
    firmware: "2.1.0",
    vl53l8ch: { raw: tofBytes() },
    as7341: { raw: spectralBytes(), atime: 29, astep: 599 },
    ...more,
  };
}
