/** What the tests of this room share. */
import type { Calibration, SpectralCalibration, TofCalibration } from "../sample/calibration.ts";
import type { Sample, SpectralReading, TofFrame } from "../sample/sample.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";

export const perChannel = (of: (index: number) => number): Record<ChannelName, number> =>
  Object.fromEntries(CHANNELS.map((channel, index) => [channel, of(index)])) as Record<ChannelName, number>;

export function tofPart(change: Partial<TofCalibration> = {}): TofCalibration {
  return {
    side: 8,
    beltDistanceMm: Array.from({ length: 64 }, () => 300),
    beltSigmaMm: Array.from({ length: 64 }, () => 1.5),
    sensorHeightMm: 300,
    tiltXDeg: 0.5,
    tiltYDeg: -0.5,
    fieldOfViewDeg: 45,
    frames: 60,
    ...change,
  };
}

export function spectralPart(change: Partial<SpectralCalibration> = {}): SpectralCalibration {
  return {
    darkBasicCounts: perChannel(() => 0.01),
    whiteBasicCounts: perChannel((index) => 1 + index / 10),
    whiteReflectance: perChannel(() => 0.98),
    ...change,
  };
}

export function makeRecord(change: Partial<Calibration> = {}): Calibration {
  const { deviceId = "device-1", version = 1 } = change;
  return {
    calibrationId: `${deviceId}-v${version}`,
    deviceId,
    version,
    validFrom: "2026-01-01T00:00:00Z",
    validUntil: "2026-02-01T00:00:00Z",
    madeBy: "Anne",
    reason: "start of the season",
    ...change,
  };
}

export function beltFrame(distanceMm: (index: number) => number = () => 300): TofFrame {
  const all = <T>(value: T) => Array.from({ length: 64 }, () => value);
  return {
    side: 8,
    distanceMm: all(0).map((_, index) => distanceMm(index)),
    reflectancePercent: all(12),
    signal: all(100),
    ambient: all(1),
    signalUnit: "kcps/SPAD",
    status: all(5),
    validStatuses: [5, 9],
  };
}

export function reading(counts: (index: number) => number, change: Partial<SpectralReading> = {}): SpectralReading {
  return { counts: perChannel(counts), gain: 64, integrationMs: 50, reconstructed: [], saturated: [], ...change };
}

let made = 0;
export function makeSample(change: Partial<Sample> = {}): Sample {
  made += 1;
  const now = new Date().toISOString();
  return {
    sampleUid: `uid-${made}`,
    sampleId: `s-${made}`,
    deviceId: "device-1",
    siteId: "plant",
    lineId: "belt",
    measuredAt: now,
    timeSource: "device",
    receivedAt: now,
    transport: "websocket",
    isHistorical: false,
    shift: "matin",
    productionDay: now.slice(0, 10),
    vl53l8ch: { frame: beltFrame() },
    as7341: { reading: reading(() => 1000) },
    ...change,
  };
}
