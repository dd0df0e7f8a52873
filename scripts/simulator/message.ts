import { CHANNEL_KEYS, type Counts, GAIN, INTEGRATION_MS } from "./as7341.ts";
import { analyseBins, claim, rows, spectralRatios } from "./firmware.ts";
import { type Acquisition, SENSOR_HEIGHT_MM, ZONE_SIDE_MM } from "./station.ts";
import { BIN_WIDTH_MM, BINS, SIDE } from "./tof.ts";

/**
 * `legacy`: raw counts and 8×8×128 histograms (about 140 KB); `new`: matrices and histogram figures (about 17 KB); `raw`: what
 * the sensors' registers held, in the device envelope (about 3.4 KB).
 */
export const GENERATIONS = ["new", "legacy", "raw"] as const;
export type Generation = (typeof GENERATIONS)[number];

/** A device as it names itself. */
export interface DeviceIdentity {
  deviceId: string;
  macAddress: string;
  ipAddress: string;
  /** `Ligne A|B|C`, or the name of the line it was given. */
  location: string;
  generation: Generation;
  /** Whether it sends its own conclusions (statistics, scores, grades). */
  claims: boolean;
  /** Whether it asks for acknowledgements. */
  ack?: boolean;
}

const FIRMWARE = "1.0.0";
/** SQAL's time format: microseconds and Z. The model's clock has milliseconds; the rest is zero. */
export const stamp = (at: Date): string => at.toISOString().replace("Z", "000Z");

export function hello(device: DeviceIdentity, at: Date): Record<string, unknown> {
  return {
    type: "esp32_hello",
    device_id: device.deviceId,
    mac_address: device.macAddress,
    location: device.location,
    ip_address: device.ipAddress,
    firmware_version: FIRMWARE,
    sensors: { vl53l8ch: "0x29", as7341: "0x39" },
    ...(device.ack && { ack: true }),
    timestamp: stamp(at),
  };
}

export interface DeviceCounters {
  sent: number;
  buffered: number;
  reconnections: number;
  uptimeS: number;
}

export function heartbeat(device: DeviceIdentity, counters: DeviceCounters, at: Date): Record<string, unknown> {
  return {
    type: "heartbeat",
    device_id: device.deviceId,
    status: "online",
    uptime: Math.floor(counters.uptimeS),
    stats: {
      measurements_sent: counters.sent,
      measurements_buffered: counters.buffered,
      reconnections: counters.reconnections,
      i2c_errors: 0,
      uptime_seconds: Math.floor(counters.uptimeS),
    },
    buffer_size: counters.buffered,
    timestamp: stamp(at),
  };
}

/** One acquisition as a `sensor_data` message of SQAL's dialect. */
export function sensorData(device: DeviceIdentity, taken: Acquisition): Record<string, unknown> {
  const legacy = device.generation === "legacy";
  const { frame, counts, lot } = taken;
  const state = taken.product.state;
  const claims = device.claims ? claim(frame, counts, SENSOR_HEIGHT_MM, ZONE_SIDE_MM) : undefined;
  const baseAreaMm2 = SIDE * SIDE * ZONE_SIDE_MM ** 2;
  // SQAL's new devices send 0 for a valid zone, its legacy ones the sensor's own codes.
  const status = frame.status.map((code) => (!legacy && (code === 5 || code === 9) ? 0 : code));
  const matrices = {
    distance_matrix: rows(frame.distanceMm),
    reflectance_matrix: rows(frame.reflectancePercent),
    amplitude_matrix: rows(frame.amplitude),
    ambient_matrix: rows(frame.ambient),
    status_matrix: rows(status),
  };
  const seconds = taken.at.getTime() / 1000;
  const spectralMeta = {
    timestamp: seconds,
    integration_time_ms: INTEGRATION_MS,
    gain: GAIN,
    temperature_c: taken.temperatureC,
    ambient_light: taken.ambient,
    product_type:
      state.qualityClass === "defective" ? "defective" : taken.product.defects.length > 1 ? "irregular" : "normal",
    input_params: { freshness: state.freshness, fat_quality: state.fat, oxidation_level: state.oxidation },
    device_id: device.deviceId,
    mac_address: device.macAddress,
    location: device.location,
  };
  const message: Record<string, unknown> = {
    type: "sensor_data",
    timestamp: stamp(taken.at),
    sample_id: taken.sampleId,
    device_id: device.deviceId,
    location: device.location,
    vl53l8ch: {
      timestamp: seconds,
      // The grid the device is configured with: a setting, not a conclusion.
      base_area_mm2: baseAreaMm2,
      bins_analysis: analyseBins(frame.histogram),
      ...matrices,
      ...(claims && { stats: claims.stats, quality_score: claims.tofScore, grade: claims.grade, defects: [] }),
    },
    as7341: {
      channels: Object.fromEntries(CHANNEL_KEYS.map((key) => [key, counts[key]])),
      integration_time: INTEGRATION_MS,
      gain: GAIN,
      spectral_ratios: spectralRatios(counts),
      meta: spectralMeta,
      ...(claims && { quality_score: claims.spectralScore, grade: claims.grade, defects: [] }),
    },
    meta: {
      device_id: device.deviceId,
      firmware_version: FIRMWARE,
      temperature_c: taken.temperatureC,
      humidity_percent: 45,
      config_profile: "foiegras_standard_barquette",
    },
    lot_abattage: lot.lotAbattage,
    eleveur: lot.breeder.name,
    provenance: `${lot.breeder.provenance}, France`,
  };
  if (claims) {
    message.fusion = {
      sample_id: taken.sampleId,
      final_score: claims.finalScore,
      final_grade: claims.grade,
      tof_score: claims.tofScore,
      spectral_score: claims.spectralScore,
      fusion_mode: "ToF + Spectral",
    };
  }
  if (!legacy) return message;
  message.code_lot = null;
  message.lot_id = null;
  message.vl53l8ch_raw = {
    ...matrices,
    bins_matrix: rows(frame.histogram),
    meta: {
      timestamp: seconds,
      height_sensor_mm: SENSOR_HEIGHT_MM,
      resolution: SIDE,
      zone_size_mm: ZONE_SIDE_MM,
      zone_size_x_mm: ZONE_SIDE_MM,
      zone_size_y_mm: ZONE_SIDE_MM,
      grid_coverage_x_mm: SIDE * ZONE_SIDE_MM,
      grid_coverage_y_mm: SIDE * ZONE_SIDE_MM,
      n_bins: BINS,
      bin_size_mm: BIN_WIDTH_MM,
      device_id: device.deviceId,
      mac_address: device.macAddress,
      location: device.location,
    },
  };
  message.as7341_raw = legacyReading(taken, counts, device, spectralMeta);
  return message;
}

const RAW_NAMES = {
  F1_violet: "F1_415nm",
  F2_indigo: "F2_445nm",
  F3_blue: "F3_480nm",
  F4_cyan: "F4_515nm",
  F5_green: "F5_555nm",
  F6_yellow: "F6_590nm",
  F7_orange: "F7_630nm",
  F8_red: "F8_680nm",
  NIR: "NIR",
  Clear: "Clear",
} as const;

function legacyReading(
  taken: Acquisition,
  counts: Counts,
  device: DeviceIdentity,
  meta: Record<string, unknown>,
): Record<string, unknown> {
  const { lot } = taken;
  const spectrum = Object.values(RAW_NAMES).slice(0, 9);
  return {
    raw_counts: {
      ...Object.fromEntries(Object.entries(RAW_NAMES).map(([name, key]) => [name, counts[key]])),
      Flicker: 1,
    },
    meta,
    wavelengths: [415, 445, 480, 515, 555, 590, 630, 680, 910],
    intensities: spectrum.map((key) =>
      Math.min(1, Math.max(0.1, Math.round((counts[key] / (GAIN * 10_000)) * 100) / 100)),
    ),
    timestamp: stamp(taken.at),
    temperature: taken.temperatureC,
    sample_type: "foie_gras",
    metadata: {
      sampleName: taken.sampleId,
      id_abattage: taken.sampleId,
      lot_abattage: lot.lotAbattage,
      eleveur: lot.breeder.name,
      origin: lot.breeder.provenance,
      provenance: lot.breeder.provenance,
      date_abattage: lot.slaughteredAt.toISOString().slice(0, 10),
      temps_depuis_abattage: Math.round((taken.at.getTime() - lot.slaughteredAt.getTime()) / 60_000),
      nombre_canards_lot: lot.ducks,
      ligne_production: device.location,
      etat: "Nature (frais)",
    },
  };
}

/** Malformed messages for demonstrations: what a broken device or cable might send. */
export const FAULTS = [
  "not-json",
  "truncated",
  "bad-matrix",
  "not-a-number",
  "overflow",
  "forbidden-key",
  "future-time",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Spoils a message in one way; the result is no longer a valid sample. */
export function spoil(message: Record<string, unknown>, fault: Fault): string {
  const text = JSON.stringify(message);
  switch (fault) {
    case "not-json":
      return `?${text.slice(1, 200)}`;
    case "truncated":
      return text.slice(0, Math.floor(text.length / 2));
    case "bad-matrix":
      return text.replace(/"distance_matrix":\[\[[^\]]*\],/g, '"distance_matrix":[');
    case "not-a-number":
      return text.replace(/"distance_matrix":\[\[[^,]*,/g, '"distance_matrix":[[NaN,');
    case "overflow":
      return text.replace(/"distance_matrix":\[\[[^,]*,/g, '"distance_matrix":[[1e309,');
    case "forbidden-key":
      return text.replace(/^\{/, '{"__proto__":{"admin":true},');
    case "future-time":
      return text.replace(/"type":"sensor_data","timestamp":"\d{4}/, '"type":"sensor_data","timestamp":"2099');
  }
}
