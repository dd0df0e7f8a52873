import type { DeviceEnvelope, DeviceHeartbeat, DeviceHello } from "../../nodes/device/envelope-encode.ts";
import { encodeUld, rawOfPhysical } from "../../nodes/vl53l8ch/uld-encode.ts";
import type { BeltAcquisition } from "./belt.ts";
import { registersOf } from "./belt-spectrum.ts";
import type { BeltFrame } from "./belt-tof.ts";
import { CNH_CONFIG } from "./cnh.ts";
import type { Lot } from "./lots.ts";
import type { DeviceCounters, DeviceIdentity } from "./message.ts";

const FIRMWARE = "2.0.0";

/** The result frame in the sensor's registers, as read from the bus. */
export function uldBytes(frame: BeltFrame, sequence: number, cnh?: Uint8Array): Uint8Array {
  return encodeUld({
    zones: 64,
    raw: rawOfPhysical({
      ambientKcpsPerSpad: frame.ambient,
      spadsEnabled: frame.spads,
      targetCount: frame.targetCount,
      signalKcpsPerSpad: frame.signal,
      rangeSigmaMm: frame.sigmaMm,
      distanceMm: frame.distanceMm,
      reflectancePercent: frame.reflectancePercent,
      targetStatus: frame.status,
    }),
    // 255 would mean "no frame ready".
    streamCount: sequence % 255,
    frameId: sequence % 65_536,
    siliconTempC: frame.siliconTempC,
    deviceTimestamp: Math.round((sequence * 1e6) / 15) % 2 ** 32,
    ...(cnh && { cnh }),
  });
}

export interface RawContext {
  identity: DeviceIdentity;
  boot: number;
  sequence: number;
  lot?: Lot | undefined;
  /** What a light barrier made the device call the product in view. */
  product?: string | undefined;
  cnh?: Uint8Array | undefined;
}

/** One acquisition as the device envelope, registers as they were read. */
export function rawEnvelope(taken: BeltAcquisition, context: RawContext): DeviceEnvelope {
  const { identity, boot, sequence, lot, product, cnh } = context;
  return {
    v: 1,
    device: identity.deviceId,
    boot,
    seq: sequence,
    t: Math.round(taken.timeMs * 1000),
    ...(product !== undefined && { product }),
    location: identity.location,
    ...(lot && {
      lot: lot.lotAbattage,
      eleveur: lot.breeder.name,
      provenance: `${lot.breeder.provenance}, France`,
    }),
    firmware: FIRMWARE,
    temperatureC: taken.passes.temperatureC,
    vl53l8ch: {
      raw: uldBytes(taken.frame, sequence, cnh),
      ...(cnh && {
        cnh: { startBin: CNH_CONFIG.startBin, subSample: CNH_CONFIG.subSample, zoneMap: CNH_CONFIG.zoneMap },
      }),
    },
    as7341: { raw: registersOf(taken.passes), atime: taken.passes.atime, astep: taken.passes.astep },
  };
}

export function rawHello(identity: DeviceIdentity, at: Date): DeviceHello {
  return {
    v: 1,
    device: identity.deviceId,
    hello: true,
    location: identity.location,
    firmware: FIRMWARE,
    mac: identity.macAddress,
    ip: identity.ipAddress,
    sensors: { vl53l8ch: "0x29", as7341: "0x39" },
    ...(identity.ack && { ack: true }),
    t: at.getTime(),
  };
}

export function rawHeartbeat(identity: DeviceIdentity, counters: DeviceCounters, at: Date): DeviceHeartbeat {
  return {
    v: 1,
    device: identity.deviceId,
    heartbeat: true,
    uptimeS: Math.floor(counters.uptimeS),
    stats: { sent: counters.sent, reconnections: counters.reconnections, i2cErrors: 0 },
    buffered: counters.buffered,
    t: at.getTime(),
  };
}
